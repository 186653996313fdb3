/** What every driver of the blobs port must do. Each driver's own test file runs this on it. */
import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Blobs, type ByteRange, isObjectName, ObjectTaken, ObjectTooLarge } from "../../ports/blobs.ts";

export interface BlobsPlace {
  /** Another driver on the same objects, as another process has it. */
  handle(): Blobs;
  remove(): Promise<void>;
}

const megabyte = 1 << 20;

async function* pieces(...all: (Uint8Array | string)[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of all) yield typeof piece === "string" ? Buffer.from(piece) : piece;
}

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function blobsContract(driver: string, makePlace: () => Promise<BlobsPlace>): void {
  describe(`blobs: ${driver}`, () => {
    let place: BlobsPlace;
    let blobs: Blobs;

    beforeEach(async () => {
      place = await makePlace();
      blobs = place.handle();
      await blobs.open();
    });
    afterEach(async () => {
      await blobs.close();
      await place.remove();
    });

    const put = (name: string, text: string | Uint8Array) => blobs.put(name, pieces(text), 100 * megabyte);
    async function read(name: string, range?: ByteRange): Promise<Buffer | null> {
      const found = await blobs.get(name, range);
      if (found === null) return null;
      const parts: Uint8Array[] = [];
      for await (const part of found.content) parts.push(part);
      return Buffer.concat(parts);
    }
    async function names(folder: string): Promise<string[]> {
      const all: string[] = [];
      for await (const { name } of blobs.list(folder)) all.push(name);
      return all.sort();
    }

    test("an object is read as it was written, also by another process", async () => {
      const stored = await blobs.put("a/b", pieces("one", "", "two"), 6);
      expect(stored).toEqual({ size: 6, sha256: sha256("onetwo") });
      const other = place.handle();
      await other.open();
      expect(await other.stat("a/b")).toEqual({ size: 6 });
      await other.close();
      expect(String(await read("a/b"))).toBe("onetwo");
    });

    test("an empty object is an object", async () => {
      expect(await blobs.put("a/empty", pieces(), 10)).toEqual({ size: 0, sha256: sha256("") });
      expect(await blobs.stat("a/empty")).toEqual({ size: 0 });
      expect(await read("a/empty")).toHaveLength(0);
    });

    test("what is not there is null, and to delete it changes nothing", async () => {
      expect(await blobs.stat("a/b")).toBeNull();
      expect(await blobs.get("a/b")).toBeNull();
      await blobs.delete("a/b");
      await blobs.deleteAll("a");
      expect(await names("a")).toEqual([]);
    });

    test("any bytes, larger than any buffer, in pieces of any size", async () => {
      const bytes = randomBytes(3 * megabyte + 17);
      const cuts = [0, 1, 2, 300_000, 300_001, 2 * megabyte, bytes.length];
      const cut = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
      expect(await blobs.put("a/large", pieces(...cut), bytes.length)).toEqual({
        size: bytes.length,
        sha256: sha256(bytes),
      });
      expect((await read("a/large"))?.equals(bytes)).toBe(true);
      for (const [from, until] of [
        [0, 1],
        [255 * 1024, 257 * 1024],
        [megabyte - 1, 2 * megabyte + 1],
        [bytes.length - 1, bytes.length],
        [bytes.length - 5, bytes.length + 5],
        [bytes.length, bytes.length + 1],
        [7, 7],
      ] as const) {
        expect((await read("a/large", { from, until }))?.equals(bytes.subarray(from, until))).toBe(true);
      }
      expect((await blobs.get("a/large", { from: 5, until: 6 }))?.size).toBe(bytes.length);
    });

    test("a reader may stop in the middle", async () => {
      const bytes = randomBytes(2 * megabyte);
      await put("a/b", bytes);
      const found = await blobs.get("a/b");
      for await (const part of found?.content ?? []) {
        expect(bytes.subarray(0, part.length).equals(part)).toBe(true);
        break;
      }
      expect((await read("a/b"))?.length).toBe(bytes.length);
    });

    test("an object never changes: its name is taken", async () => {
      await put("a/b", "first");
      await expect(put("a/b", "second")).rejects.toThrow(ObjectTaken);
      expect(String(await read("a/b"))).toBe("first");
      expect(await names("a")).toEqual(["a/b"]);
    });

    test("of many writers of one name one wins, and its content is what is read", async () => {
      const texts = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(50_000));
      const results = await Promise.allSettled(texts.map((text) => put("a/race", text)));
      const won = results.flatMap((result, index) => (result.status === "fulfilled" ? [index] : []));
      expect(won).toHaveLength(1);
      expect(String(await read("a/race")) === texts[won[0] ?? -1]).toBe(true);
      for (const result of results) if (result.status === "rejected") expect(result.reason).toBeInstanceOf(ObjectTaken);
    });

    test("an object that is too long is refused, and nothing is left of it", async () => {
      await expect(blobs.put("a/b", pieces("12345", "67890"), 9)).rejects.toThrow(ObjectTooLarge);
      expect(await blobs.stat("a/b")).toBeNull();
      expect(await names("a")).toEqual([]);
      expect((await put("a/b", "1234567890")).size).toBe(10);
    });

    test("content that breaks off is refused with its own error, and nothing is left of it", async () => {
      async function* broken() {
        yield randomBytes(megabyte);
        throw new Error("the client is gone");
      }
      await expect(blobs.put("a/b", broken(), 10 * megabyte)).rejects.toThrow("the client is gone");
      expect(await blobs.get("a/b")).toBeNull();
      expect(await names("a")).toEqual([]);
    });

    test("an object that is being written is not there yet", async () => {
      const isWritten = Promise.withResolvers<void>();
      const mayEnd = Promise.withResolvers<void>();
      async function* slow() {
        yield randomBytes(megabyte);
        isWritten.resolve();
        await mayEnd.promise;
        yield Buffer.from("end");
      }
      const putting = blobs.put("a/b", slow(), 10 * megabyte);
      await isWritten.promise;
      expect(await blobs.stat("a/b")).toBeNull();
      expect(await blobs.get("a/b")).toBeNull();
      expect(await names("a")).toEqual([]);
      mayEnd.resolve();
      await putting;
      expect(await names("a")).toEqual(["a/b"]);
    });

    test("content is asked for only as fast as it is stored", async () => {
      let isAsked = 0;
      let mostWaiting = 0;
      const content = {
        [Symbol.asyncIterator]: () => {
          let count = 0;
          return {
            next: async () => {
              isAsked += 1;
              mostWaiting = Math.max(mostWaiting, isAsked);
              await new Promise((resolve) => setImmediate(resolve));
              isAsked -= 1;
              count += 1;
              if (count > 20) return { done: true as const, value: undefined };
              return { done: false as const, value: Buffer.alloc(64 * 1024) };
            },
          };
        },
      };
      expect((await blobs.put("a/b", content, 100 * megabyte)).size).toBe(20 * 64 * 1024);
      expect(mostWaiting).toBe(1);
    });

    test("a folder is listed and removed with all that is below it, and nothing else", async () => {
      const all = ["j/1/m/a", "j/1/m/b", "j/1/r", "j/1", "j/12/m", "k/1/m"];
      for (const name of all) await put(name, name);
      expect(await names("j/1")).toEqual(["j/1/m/a", "j/1/m/b", "j/1/r"]);
      expect(await names("j")).toEqual(["j/1", "j/1/m/a", "j/1/m/b", "j/1/r", "j/12/m"]);
      const sizes: number[] = [];
      for await (const { size } of blobs.list("j/12")) sizes.push(size);
      expect(sizes).toEqual([6]);
      await blobs.deleteAll("j/1");
      expect([...(await names("j")), ...(await names("k"))]).toEqual(["j/1", "j/12/m", "k/1/m"]);
      // An object may have the name of a folder.
      expect(String(await read("j/1"))).toBe("j/1");
      await blobs.delete("j/1");
      expect(await blobs.stat("j/1")).toBeNull();
    });

    test("after an object was deleted its name may be used again", async () => {
      await put("a/b", "first");
      await blobs.delete("a/b");
      expect(await blobs.get("a/b")).toBeNull();
      await put("a/b", "second");
      expect(String(await read("a/b"))).toBe("second");
    });

    test("every name that is allowed works, and no name leads out of its place", async () => {
      const name = `t/order.2026-10=x@2026-10-01T00:00Z~s0/${"n".repeat(200)}`;
      await put(name, "x");
      expect(String(await read(name))).toBe("x");
      expect(await names("t")).toEqual([name]);
      for (const bad of ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", ".a", "a\0b", "a b", "a+", "ä", "a\\b"]) {
        expect(isObjectName(bad)).toBe(false);
        await expect(put(bad, "x")).rejects.toThrow("is no name");
        await expect(blobs.get(bad)).rejects.toThrow("is no name");
        await expect(blobs.delete(bad)).rejects.toThrow("is no name");
        await expect(blobs.deleteAll(bad)).rejects.toThrow("is no name");
      }
    });
  });
}
