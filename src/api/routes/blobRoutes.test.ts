/** Uploads and downloads on the wire, against a fake master. */
import { createHash } from "node:crypto";
import { request } from "node:http";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { RawConnection } from "../../proof/fakes/rawHttp.ts";
import { type ApiServer, createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;
let url: string;

beforeEach(async () => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
});
afterEach(() => api.close());

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const post = (body: string, type?: string) =>
  fetch(`${url}/v1/blobs`, { method: "POST", body, ...(type !== undefined && { headers: { "content-type": type } }) });

describe("uploads", () => {
  test.each([
    undefined,
    "application/octet-stream",
    "application/json",
    "application/x-www-form-urlencoded",
    "x/y; z=1",
  ])("are taken as they are, whatever their type (%s)", async (type) => {
    const answer = await post("{not json", type);
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe(`/v1/blobs/${sha256("{not json")}`);
    const digest = sha256("{not json");
    expect(await answer.json()).toEqual({ sha256: digest, size: 9, blob: `sha256:${digest}` });
    expect((await post("{not json", type)).status).toBe(200);
  });

  test("an upload without a body is the empty file", async () => {
    const answer = await fetch(`${url}/v1/blobs`, { method: "POST" });
    expect(await answer.json()).toMatchObject({ sha256: sha256(""), size: 0 });
  });

  test("one that is announced as too large is refused before it is sent", async () => {
    const connection = await RawConnection.open(url);
    const lines = ["POST /v1/blobs HTTP/1.1", "Host: localhost", "Expect: 100-continue"];
    connection.send(`${lines.join("\r\n")}\r\nContent-Length: ${limits.blobBodyBytesMax + 1}\r\n\r\n`);
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 413 [^]*"limit":"blobBodyBytesMax"/);
  });

  test("bodies beyond the bound of JSON are asked for", async () => {
    const connection = await RawConnection.open(url);
    const lines = ["POST /v1/blobs HTTP/1.1", "Host: localhost", "Expect: 100-continue"];
    connection.send(`${lines.join("\r\n")}\r\nContent-Length: ${limits.bodiesBytesMax * 2}\r\n\r\n`);
    await connection.until("HTTP/1.1 100 ");
    connection.close();
  });

  test("what breaks off is not stored", async () => {
    const sending = request(`${url}/v1/blobs`, { method: "POST", headers: { "content-length": 10 } });
    const failed = new Promise((resolve) => sending.once("error", resolve));
    const isTold = new Promise<unknown>((resolve) => {
      const put = master.blobs.put.bind(master.blobs);
      master.blobs.put = (content) => {
        const storing = put(content);
        storing.then(() => resolve("stored"), resolve);
        return storing;
      };
    });
    sending.write("12345", () => sending.destroy(new Error("gone")));
    await failed;
    expect(await isTold).toMatchObject({ code: "bad-request" });
    expect(master.blobs.contents.size).toBe(0);
  });

  test("a refusal in the middle of an upload reaches its sender", async () => {
    master.blobs.put = async (content) => {
      for await (const _ of content) throw new OutlastError("storage-full", "There is no room.");
      throw new Error("There was no content.");
    };
    const answer = await post("x".repeat(5_000_000));
    expect(answer.status).toBe(507);
    expect(await answer.json()).toMatchObject({ error: { code: "storage-full" } });
  });
});

describe("downloads", () => {
  const text = "0123456789";
  const get = (range?: string, method = "GET") =>
    fetch(`${url}/v1/blobs/${sha256(text)}`, { method, headers: range === undefined ? {} : { range } });

  beforeEach(() => post(text));

  test.each([
    [undefined, 200, text, null],
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=3-5", 206, "345", "bytes 3-5/10"],
    ["bytes=8-", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-30", 206, text, "bytes 0-9/10"],
    ["bytes=5-100", 206, "56789", "bytes 5-9/10"],
    ["bytes=5-3", 200, text, null],
    ["bytes=1-2,4-5", 200, text, null],
    ["lines=1-2", 200, text, null],
  ])("%s", async (range, status, expected, contentRange) => {
    const answer = await get(range);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-length")).toBe(String(expected.length));
    expect(answer.headers.get("content-range")).toBe(contentRange);
    expect(answer.headers.get("etag")).toBe(`"${sha256(text)}"`);
    expect(await answer.text()).toBe(expected);
  });

  test.each(["bytes=10-", "bytes=10-12", "bytes=-0"])("%s lies behind the end", async (range) => {
    const answer = await get(range);
    expect(answer.status).toBe(416);
    expect(await answer.json()).toMatchObject({ error: { code: "bad-range", size: 10 } });
  });

  test("HEAD tells the size and reads nothing", async () => {
    master.blobs.read = () => Promise.reject(new Error("It was read."));
    const answer = await get(undefined, "HEAD");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-length")).toBe("10");
    expect((await fetch(`${url}/v1/blobs/${"0".repeat(64)}`, { method: "HEAD" })).status).toBe(404);
  });

  test.each(["x", "0".repeat(63), "G".repeat(64), "..%2F..%2Fetc%2Fpasswd", "%00"])(
    "the id %s is refused",
    async (id) => {
      expect((await fetch(`${url}/v1/blobs/${id}`)).status).toBe(400);
    },
  );

  test("content that fails in the middle is not taken for the whole", async () => {
    master.blobs.read = async () => {
      async function* broken() {
        yield Buffer.from("012");
        throw new Error("The disk failed.");
      }
      return { size: 10, content: broken() };
    };
    const answer = await get();
    await expect(answer.text()).rejects.toThrow();
  });

  test("a released blob", async () => {
    const path = `${url}/v1/blobs/${sha256(text)}`;
    expect(await (await fetch(path, { method: "DELETE" })).json()).toEqual({ sha256: sha256(text), isReleased: true });
    expect((await fetch(path, { method: "DELETE" })).status).toBe(404);
  });
});

describe("objects", () => {
  const path = (name: string) => `${url}/v1/objects/${name.replaceAll("/", "%2F")}`;

  test("are put once, read, listed and removed", async () => {
    const put = (text: string) => fetch(path("j/1/m"), { method: "PUT", body: text });
    expect((await put("one")).status).toBe(201);
    expect((await put("two")).status).toBe(409);
    const read = await fetch(path("j/1/m"), { headers: { range: "bytes=1-" } });
    expect(await read.text()).toBe("ne");
    const list = await fetch(`${url}/v1/objects?folder=j`);
    expect(await list.text()).toBe(`{"name":"j/1/m","size":3}\n`);
    expect((await fetch(path("j/1/m"), { method: "DELETE" })).status).toBe(200);
    expect((await fetch(path("j/1/m"))).status).toBe(404);
    await put("again");
    expect((await fetch(`${url}/v1/objects?folder=j`, { method: "DELETE" })).status).toBe(200);
    expect(master.blobs.objects.size).toBe(0);
  });
});

describe("artifacts", () => {
  test("are listed and downloaded by their paths", async () => {
    const { sha256: digest } = await master.blobs.put(Readable.from([Buffer.from("result")]));
    const file = { path: "out/a b.txt", sha256: digest, size: 6 };
    master.views.kept.set("t", [{ attempt: 2, ...file }]);
    expect(await (await fetch(`${url}/v1/tasks/t/artifacts`)).json()).toEqual({ task: "t", artifacts: [file] });
    const path = (name: string) => `${url}/v1/tasks/t/artifacts/${encodeURIComponent(name)}`;
    const answer = await fetch(path("out/a b.txt"), { headers: { range: "bytes=2-3" } });
    expect([answer.status, await answer.text()]).toEqual([206, "su"]);
    expect(await (await fetch(`${url}/v1/tasks/t/artifacts/out/a%20b.txt`)).text()).toBe("result");
    for (const bad of ["out", "../x", "/etc/passwd"]) expect((await fetch(path(bad))).status).toBe(404);
    expect((await fetch(`${url}/v1/tasks/unknown/artifacts`)).status).toBe(404);
  });
});
