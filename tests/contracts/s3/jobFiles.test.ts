/** Files of MapReduce jobs in S3 do what those in every place do; and what is S3's own: late changes, lost answers, input by its ETag. */
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { promote } from "../../../src/mapreduce/coordinator/promote.ts";
import { writeText } from "../../../src/mapreduce/coordinator/store.ts";
import { findInput } from "../../../src/mapreduce/slot/inputFiles.ts";
import { openInput } from "../../../src/mapreduce/slot/openInput.ts";
import { S3JobFiles } from "../../../src/mapreduce/slot/s3JobFiles.ts";
import { s3Limits } from "../../../src/model/limitsS3.ts";
import { jobStoreContract } from "../../../src/proof/contracts/jobStoreContract.ts";
import { Bucket } from "../../../src/s3/bucket.ts";
import { findDeployment } from "./place.ts";
import { Proxy, type Seen, s3Error } from "./proxy.ts";

const found = await findDeployment();

async function* once(content: string | Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield typeof content === "string" ? Buffer.from(content) : content;
}

describe.skipIf(found === null)("on a real server", () => {
  jobStoreContract("s3", async () => {
    const address = found!.newPlace();
    const bucket = new Bucket(address.bucket);
    const keyOf = (name: string) => `${address.key}/${name}`;
    const write = (name: string, text: string) => bucket.put(keyOf(name), once(text), "any");
    const stores: S3JobFiles[] = [];
    return {
      handle: (job) => {
        const store = new S3JobFiles(address, job);
        stores.push(store);
        return store;
      },
      names: async () => (await Array.fromAsync(bucket.list(keyOf("")))).map(({ key }) => key.slice(keyOf("").length)),
      readOutput: async (name) => String((await bucket.tail(keyOf(name), 1 << 20))?.bytes),
      writeOutput: write,
      spoil: (job, name, how) => {
        const at = `_temporary/${job}/${name}`;
        return how === "remove" ? bucket.delete(keyOf(at)) : write(at, "");
      },
      remove: async () => {
        await bucket.deleteAll(keyOf(""));
        for (const store of [...stores, bucket]) await store.close();
      },
    };
  });
});

describe.skipIf(found === null || found.server === null)("s3 behind a proxy", () => {
  let proxy: Proxy;
  let bucket: Bucket;
  let key: string;
  let files: S3JobFiles;
  beforeEach(async () => {
    const address = found!.newPlace();
    key = address.key;
    bucket = new Bucket(address.bucket);
    await bucket.head("x");
    proxy = await Proxy.start(found!.server!.port);
    vi.stubEnv("AWS_ENDPOINT_URL_S3", proxy.url);
    files = new S3JobFiles(address, "job");
    await files.open();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const each of [files, bucket]) await each.close();
    await proxy.stop();
  });

  const text = async (name: string) => String((await bucket.tail(`${key}/${name}`, 1000))?.bytes);
  const isCompletion = ({ method, path }: Seen) => method === "POST" && path.includes("uploadId=");

  test("a change that was under way when a later attempt and another job made theirs changes nothing", async () => {
    const file = await writeText(files, "reduce/0", "of an earlier attempt");
    await bucket.put(`${key}/part-00000.tsv`, once("of before"), "any");
    const earlier = await files.promotion(1);
    const theirs = async () => {
      // Everything has been looked at, and the request to change it is on its way.
      proxy.treat = () => "pass";
      await bucket.put(`${key}/_temporary/job/claims/2`, once(""), "any");
      await bucket.put(`${key}/part-00000.tsv`, once("of another job"), "any");
    };
    const begun = Promise.withResolvers<void>();
    proxy.treat = (seen) => {
      if (!isCompletion(seen)) return "pass";
      begun.resolve();
      return { after: theirs };
    };
    await expect(earlier.replace(file, "part-00000.tsv")).rejects.toThrow("Attempt 2");
    await begun.promise;
    expect(await text("part-00000.tsv")).toBe("of another job");
  });

  test("an end mark that a later attempt has set is not removed by an earlier one that was about to", async () => {
    const part = async () => {
      const file = await writeText(files, "reduce/0", "a\t1\n");
      return { partition: 0, records: 1, keys: 1, shuffledBytes: 0, counters: {}, ...file };
    };
    const parts = [await part()];
    const plan = (attempt: number) =>
      ({ attempt, format: "tsv", overwrite: true, parts, summary: { attempt } }) as const;
    await bucket.put(`${key}/_SUCCESS`, once(""), "any");
    const earlier = await files.promotion(1);
    let isHeld = false;
    proxy.treat = ({ method, path }) => {
      if (isHeld || method !== "DELETE" || !path.includes("_SUCCESS")) return "pass";
      isHeld = true;
      return { after: () => promote(files, plan(2)) };
    };
    await expect(earlier.retract("_SUCCESS")).rejects.toThrow("Attempt 2");
    expect(isHeld).toBe(true);
    expect(await text("_SUCCESS")).toMatch(/^[0-9a-f]{64}\n$/);
    // The same attempt again leaves what it has put there until it has something else.
    await promote(files, plan(3));
    expect(await text("_SUCCESS")).toMatch(/^[0-9a-f]{64}\n$/);
  });

  test("an output is replaced also where a server knows no conditions of deletes", async () => {
    await bucket.put(`${key}/_SUCCESS`, once("of before"), "any");
    const file = await writeText(files, "reduce/0", "a\t1\n");
    const part = { partition: 0, records: 1, keys: 1, shuffledBytes: 0, counters: {}, ...file };
    proxy.treat = ({ method, headers }) =>
      method === "DELETE" && headers["if-match"] !== undefined ? s3Error(501, "NotImplemented") : "pass";
    await promote(files, { attempt: 1, format: "tsv", overwrite: true, parts: [part], summary: {} });
    expect(await text("_SUCCESS")).toMatch(/^[0-9a-f]{64}\n$/);
  });

  test("a copy whose answer is lost is known again", async () => {
    const file = await writeText(files, "reduce/0", "a\t1\n");
    const part = { partition: 0, records: 1, keys: 1, shuffledBytes: 0, counters: {}, ...file };
    let isLost = false;
    proxy.treat = (seen) => {
      if (isLost || !isCompletion(seen)) return "pass";
      isLost = true;
      return "lose-answer";
    };
    await promote(files, { attempt: 1, format: "tsv", overwrite: false, parts: [part], summary: {} });
    expect(isLost).toBe(true);
    expect(await text("part-00000.tsv")).toBe("a\t1\n");
    expect(await text("_SUCCESS")).toMatch(/^[0-9a-f]{64}\n$/);
  });

  test("a server that is away for a while costs a job nothing but time", async () => {
    const file = await writeText(files, "map/0", "text");
    await found!.server!.kill();
    const reading = files.text(file);
    const writing = writeText(files, "map/1", "more");
    await found!.server!.start();
    expect(await reading).toBe("text");
    expect(await files.text(await writing)).toBe("more");
    // Longer than the SDK tries by itself.
    let left = s3Limits.attemptsMax + 1;
    proxy.treat = () => (left-- > 0 ? s3Error(500, "InternalError") : "pass");
    expect(await files.text(file)).toBe("text");
    expect(left).toBeLessThan(0);
  });

  test("input is found by its key, below a folder and by a pattern, and nothing else", async () => {
    const at = `s3://${bucket.name}/${key}`;
    for (const name of ["logs/a.txt", "logs/b.txt", "logs/c/d.txt", "logs/_temporary/x", "logs/.hidden", "logsother"]) {
      await bucket.put(`${key}/${name}`, once(name), "any");
    }
    const paths = async (...inputs: string[]) => (await findInput(inputs)).map(({ path }) => path.slice(at.length + 1));
    expect(await paths(`${at}/logs/a.txt`)).toEqual(["logs/a.txt"]);
    for (const folder of [`${at}/logs`, `${at}/logs/`]) {
      expect(await paths(folder)).toEqual(["logs/a.txt", "logs/b.txt", "logs/c/d.txt"]);
    }
    expect(await paths(`${at}/logs/*.txt`, `${at}/logs/b.txt`)).toEqual(["logs/a.txt", "logs/b.txt"]);
    expect(await paths(`${at}/**/d.txt`)).toEqual(["logs/c/d.txt"]);
    await expect(findInput([`${at}/none`])).rejects.toThrow("There is no input");
    await expect(findInput(["s3://no-such-bucket/x"])).rejects.toThrow("NoSuchBucket");
    await expect(findInput(["s3://x"])).rejects.toThrow("no address");
  });

  test("compressed objects are read as text, past broken connections", async () => {
    const text = randomBytes(1 << 20).toString("hex");
    await bucket.put(`${key}/packed/a.gz`, once(gzipSync(text)), "any");
    const [file] = await findInput([`s3://${bucket.name}/${key}/packed`]);
    expect(file).toMatchObject({ isWhole: true, compression: "gzip" });
    let left = 2;
    proxy.treat = ({ method, path }) =>
      method === "GET" && path.includes("x-id=GetObject") && left-- > 0 ? { cutAfter: 100_000 } : "pass";
    const input = await openInput(file!);
    const target = Buffer.alloc(text.length + 1);
    expect(await input.read(target, 0)).toBe(text.length);
    expect(target.toString("latin1", 0, text.length) === text).toBe(true);
    await input.close();
    proxy.treat = () => "pass";
    await bucket.put(`${key}/packed/a.gz`, once(gzipSync("another text")), "any");
    await expect((await openInput(file!)).read(target, 0)).rejects.toThrow("was changed or removed");
  });

  test("the output of an earlier job is the parts that its manifest names", async () => {
    const manifest = JSON.stringify({ job: "first", parts: [{ name: "part-00000.tsv", size: 3 }] });
    const out = `s3://${bucket.name}/${key}/first`;
    const put = (name: string, text: string) => bucket.put(`${key}/first/${name}`, once(text), "any");
    await put("part-00000.tsv", "a\t1");
    await put("part-00001.tsv", "of a job before");
    await put("_manifest.json", manifest);
    await expect(findInput([out])).rejects.toThrow("is not whole");
    await put("_SUCCESS", `${createHash("sha256").update(manifest).digest("hex")}\n`);
    for (const folder of [out, `${out}/`])
      expect((await findInput([folder])).map(({ path }) => path)).toEqual([`${out}/part-00000.tsv`]);
    expect((await findInput([`${out}/*`])).map(({ path }) => path.slice(out.length + 1))).toEqual([
      "part-00000.tsv",
      "part-00001.tsv",
    ]);
    await put("part-00000.tsv", "longer");
    await expect(findInput([out])).rejects.toThrow("has 6 bytes instead of 3");
  });

  test("input is read in any order, past broken connections, and never from another version", async () => {
    const bytes = randomBytes(3 << 20);
    await bucket.put(`${key}/in`, once(bytes), "any");
    const [file] = await findInput([`s3://${bucket.name}/${key}/in`]);
    const input = await openInput(file!);
    let left = 2;
    proxy.treat = ({ method, path }) =>
      method === "GET" && path.includes("x-id=GetObject") && left-- > 0 ? { cutAfter: 100_000 } : "pass";
    for (const [position, length] of [
      [0, 1 << 20],
      [1 << 20, 1 << 20],
      [5, 10],
      [bytes.length - 4, 100],
      [bytes.length, 1],
    ] as const) {
      const target = Buffer.alloc(length);
      const count = await input.read(target, position);
      expect(target.subarray(0, count).equals(bytes.subarray(position, position + length))).toBe(true);
    }
    await bucket.put(`${key}/in`, once(randomBytes(3 << 20)), "any");
    await expect(input.read(Buffer.alloc(10), 100)).rejects.toThrow("was changed or removed while the job ran");
    await bucket.delete(`${key}/in`);
    await expect(input.read(Buffer.alloc(10), 0)).rejects.toThrow("was changed or removed while the job ran");
    await input.close();
  });
});

afterAll(() => found?.stop());
