/** Tests of uploads that cannot be read, and of downloads that are cut off on their way. */
import { createReadStream } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { type Answer, FakeMasters } from "../proof/fakes/fakeMaster.ts";
import { createClient } from "./client.ts";

const fakes = new FakeMasters();
const fake = (answer: Answer) => fakes.start(answer);
afterEach(() => fakes.stop());

const id = "a".repeat(64);
const content = "0123456789";

/** A master that sends this much of what is asked for, then drops the connection. */
function cuttingAfter(...counts: readonly number[]): Answer {
  let answers = 0;
  return ({ headers }, response) => {
    const [, first = "0", last = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
    const wanted = content.slice(Number(first), last === "" ? undefined : Number(last) + 1);
    const count = counts[answers] ?? wanted.length;
    answers += 1;
    const file = response.file(headers.range === undefined ? 200 : 206, wanted.length);
    file.send(wanted.slice(0, count));
    if (count < wanted.length) file.cut();
    else file.end();
  };
}

async function read(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

describe("a download that is cut off", () => {
  test("goes on where it was, at another master", async () => {
    const first = await fake(cuttingAfter(4, 3));
    const client = createClient({ masters: first.url });
    expect(await read(client.blobs.get(id))).toBe(content);
    expect(first.requests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=4-9", "bytes=7-9"]);
  });

  test("ends where it was to end", async () => {
    const master = await fake(cuttingAfter(2));
    const client = createClient({ masters: master.url });
    expect(await read(client.blobs.get(id, { from: 3, until: 8 }))).toBe("34567");
    expect(master.requests.map(({ headers }) => headers.range)).toEqual(["bytes=3-7", "bytes=5-7"]);
  });

  test("is given up where nothing more comes", async () => {
    const master = await fake(cuttingAfter(4, 0, 0, 0, 0, 0, 0));
    const client = createClient({ masters: master.url });
    await expect(read(client.blobs.get(id))).rejects.toMatchObject({ name: "OutlastError", code: "unavailable" });
  });
});

test("an upload that cannot be read fails at once, and says why", async () => {
  const master = await fake((_request, response) => response.json(201, {}));
  const client = createClient({ masters: master.url });
  await expect(client.blobs.put(() => createReadStream("/no/such/file"))).rejects.toMatchObject({ code: "ENOENT" });
});
