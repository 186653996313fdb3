/** Input that cannot be divided, and output of earlier jobs: what is found, and that the text read is the text that is there. */
import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PlannedFile } from "../coordinator/settings.ts";
import { findInput } from "./inputFiles.ts";
import { openInput } from "./openInput.ts";

const text = Buffer.from(Array.from({ length: 60_000 }, (_, index) => `line ${index} of the text\n`).join(""));
let folder = "";
const closing: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-input-"));
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
  rmSync(folder, { recursive: true });
});

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function textOf(file: PlannedFile | undefined): Promise<Buffer> {
  const input = await openInput(file!);
  try {
    const pieces: Buffer[] = [];
    for (let at = 0; ; ) {
      const piece = Buffer.alloc(70_000);
      const count = await input.read(piece, at);
      if (count === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, count));
      at += count;
    }
  } finally {
    await input.close();
  }
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a compressed file", () => {
  test.each([
    ["a.gz", gzipSync(text)],
    // As `cat one.gz other.gz` makes it.
    ["two.gz", Buffer.concat([gzipSync(text.subarray(0, 1000)), gzipSync(text.subarray(1000))])],
    ["a.zst", zstdCompressSync(text)],
    ["two.zst", Buffer.concat([zstdCompressSync(text.subarray(0, 1000)), zstdCompressSync(text.subarray(1000))])],
  ])("%s is read whole, as text", async (name, bytes) => {
    const [file] = await findInput([write(name, bytes)]);
    expect(file).toMatchObject({ size: bytes.length, isWhole: true });
    expect((await textOf(file)).equals(text)).toBe(true);
  });

  test.each([
    ["cut.gz", gzipSync(text).subarray(0, -100)],
    ["damaged.gz", Buffer.concat([gzipSync(text).subarray(0, 5000), randomBytes(5000)])],
    ["text.gz", text],
    ["raw.gz", deflateRawSync(text)],
    ["cut.zst", zstdCompressSync(text).subarray(0, -100)],
    ["text.zst", text],
  ])("%s fails the job by name", async (name, bytes) => {
    const path = write(name, bytes);
    const [file] = await findInput([path]);
    const failure = (await textOf(file).catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ name: "NonRetryableError" });
    expect(failure.message).toMatch(new RegExp(`${name} is no whole (gzip|zstd) file`));
  });

  test("that is changed fails the job, an empty one holds nothing, and a part of it can be left unread", async () => {
    const [file] = await findInput([write("a.gz", gzipSync(text))]);
    const input = await openInput(file!);
    expect(await input.read(Buffer.alloc(10), 0)).toBe(10);
    await input.close();
    write("a.gz", gzipSync(text.subarray(1)));
    await expect(textOf(file)).rejects.toThrow("was changed while the job ran");
    const [empty] = await findInput([write("empty.gz", "")]);
    expect(empty).not.toHaveProperty("isWhole");
  });

  test("has another version for a worker that knows no compressed files, so that it does not read it as lines", async () => {
    const [file] = await findInput([write("a.gz", gzipSync(text))]);
    const { isWhole: _isWhole, compression: _compression, ...asBefore } = file!;
    await expect(textOf(asBefore)).rejects.toThrow("was changed while the job ran");
  });
});

describe("a file", () => {
  test("that is changed while a map reads it fails the job; one that another takes the place of is read to its end", async () => {
    const path = write("a.txt", text);
    const [file] = await findInput([path]);
    const input = await openInput(file!);
    expect(await input.read(Buffer.alloc(10), 0)).toBe(10);
    appendFileSync(path, "more\n");
    await expect(input.close()).rejects.toThrow("a.txt was changed while the job ran");
    const [again] = await findInput([path]);
    const opened = await openInput(again!);
    renameSync(write("other.txt", "other"), path);
    expect(await opened.read(Buffer.alloc(10), 0)).toBe(10);
    await opened.close();
    await expect(openInput(again!)).rejects.toThrow("a.txt was changed while the job ran");
  });

  test("in a folder may be a link, as those in a volume of Kubernetes are", async () => {
    write("..data/a.txt", "a\n");
    symlinkSync("..data/a.txt", join(folder, "a.txt"));
    symlinkSync("nowhere", join(folder, "b.txt"));
    expect((await findInput([folder])).map(({ path }) => path)).toEqual([join(folder, "a.txt")]);
  });
});

describe("an address", () => {
  test("is read in one piece where its server gives no parts, knows no HEAD, and tells neither size nor version", async () => {
    const requests: string[] = [];
    const address = await serve((request, response) => {
      requests.push(request.method ?? "");
      if (request.method === "HEAD") return response.writeHead(405).end();
      response.writeHead(200);
      response.write(text.subarray(0, 300_000));
      return response.end(text.subarray(300_000));
    });
    const [file] = await findInput([`${address}/text`]);
    expect(file).toMatchObject({ size: 0, isWhole: true, isStream: true });
    expect((await textOf(file)).equals(text)).toBe(true);
    expect(requests).toEqual(["HEAD", "GET", "GET"]);
  });

  test.each([
    ["/a.gz?day=1", gzipSync(text), {}],
    ["/a.gz", gzipSync(text), { "content-encoding": "gzip" }],
    ["/text", gzipSync(text), { "content-encoding": "gzip" }],
  ])("%s that is compressed, also on its way only, is read as text", async (path, bytes, more) => {
    const address = await serve((request, response) => {
      response.writeHead(200, { "content-length": bytes.length, etag: '"1"', ...more });
      return response.end(request.method === "HEAD" ? undefined : bytes);
    });
    const [file] = await findInput([`${address}${path}`]);
    expect((await textOf(file)).equals(text)).toBe(true);
  });

  test("with parts of a compressed file is read by parts", async () => {
    const bytes = gzipSync(text);
    const ranges: string[] = [];
    const address = await serve((request, response) => {
      const head = { "accept-ranges": "bytes", etag: '"1"' };
      if (request.method === "HEAD") return response.writeHead(200, { ...head, "content-length": bytes.length }).end();
      ranges.push(request.headers.range ?? "");
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
      return response.writeHead(206, head).end(bytes.subarray(Number(from), Number(to) + 1));
    });
    const [file] = await findInput([`${address}/a.gz`]);
    expect((await textOf(file)).equals(text)).toBe(true);
    expect(ranges).toEqual([`bytes=0-${bytes.length - 1}`]);
  });

  test("that changes, ends too soon or is not there is told apart", async () => {
    let version = 1;
    const address = await serve((request, response) => {
      if (request.url === "/none") return response.writeHead(404).end();
      response.writeHead(200, { "content-length": text.length, etag: `"${version}"` });
      if (request.method === "HEAD") return response.end();
      return response.write(text.subarray(0, 1000), () => void response.destroy());
    });
    const [file] = await findInput([`${address}/text`]);
    const failure = await textOf(file).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toMatchObject({ name: "NonRetryableError" });
    version = 2;
    await expect(textOf(file)).rejects.toThrow("was changed while the job ran");
    await expect(findInput([`${address}/none`])).rejects.toMatchObject({ name: "NonRetryableError" });
    await expect(findInput(["http://127.0.0.1:1/x"])).rejects.toThrow("http://127.0.0.1:1/x cannot be read");
  });
});

describe("the output of an earlier job", () => {
  const names = (files: readonly PlannedFile[]) => files.map(({ path }) => path.slice(folder.length + 1));

  function output(): string {
    const parts = ["part-00000.tsv", "part-00001.tsv"].map((name, index) => ({ name, size: 4 + index }));
    for (const { name, size } of parts) write(`out/${name}`, "x".repeat(size));
    const manifest = JSON.stringify({ job: "first", parts });
    write("out/_manifest.json", manifest);
    write("out/_SUCCESS", `${createHash("sha256").update(manifest).digest("hex")}\n`);
    return join(folder, "out");
  }

  test("is the parts that its manifest names, and nothing else that is there", async () => {
    const out = output();
    write("out/part-00002.tsv", "of a job before");
    write("out/_temporary/second/map/00000", "of a job that runs");
    expect(names(await findInput([out]))).toEqual(["out/part-00000.tsv", "out/part-00001.tsv"]);
    expect(names(await findInput([`${out}/**`]))).toEqual([0, 1, 2].map((part) => `out/part-0000${part}.tsv`));
  });

  test.each<[string, () => void]>([
    ["is not whole", () => unlinkSync(join(folder, "out/_SUCCESS"))],
    ["is not whole", () => write("out/_SUCCESS", "of another manifest\n")],
    ["is gone", () => unlinkSync(join(folder, "out/part-00001.tsv"))],
    ["has 1 bytes instead of 5", () => write("out/part-00001.tsv", "x")],
  ])("that %s is refused", async (reason, harm) => {
    const out = output();
    harm();
    const failure = findInput([out]);
    await expect(failure).rejects.toThrow(reason);
    await expect(failure).rejects.toMatchObject({ name: "NonRetryableError" });
  });

  test("is told from a folder in which somebody else keeps such a file", async () => {
    write("mine/_manifest.json", '{"parts": 7}');
    write("mine/text", "x");
    expect(names(await findInput([join(folder, "mine")]))).toEqual(["mine/text"]);
  });
});
