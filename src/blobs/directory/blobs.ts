/**
 * Objects as files in a directory: `objects/` holds them, `uploading/` what is on its way.
 *
 * A file is written and synced in `uploading/`, then linked to its name: the link is what makes it whole or absent, and it fails
 * where the name is taken, on any POSIX file system, NFS included. Folders end in `+`, which no name may contain, so that an
 * object and a folder of one name do not clash.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, link, mkdir, open, opendir, rm, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { makeFolders } from "../../files/makeFolders.ts";
import { defaults, limits } from "../../model/limits.ts";
import {
  type Blobs,
  BlobsUnavailable,
  type ByteRange,
  checkObjectName,
  type ListedObject,
  type ObjectContent,
  ObjectTaken,
  type StoredObject,
} from "../../ports/blobs.ts";
import { Measured } from "../measured.ts";
import { spanOf } from "../span.ts";

export interface DirectoryOptions {
  /** Made if it is missing, for this user only. */
  readonly path: string;
  /** True if every master has the same directory under its path. */
  readonly isShared: boolean;
}

export class DirectoryBlobs implements Blobs {
  readonly isShared: boolean;
  readonly #root: string;

  constructor({ path, isShared }: DirectoryOptions) {
    this.#root = resolve(path);
    this.isShared = isShared;
  }

  async open(): Promise<string> {
    await this.#try(async () => {
      for (const folder of ["objects", "uploading"]) {
        await makeFolders(join(this.#root, folder), 0o700);
      }
      await this.#removeLeftovers();
    });
    return `directory ${this.#root}`;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject> {
    const path = this.#pathOf(name);
    const temporary = join(this.#root, "uploading", randomUUID());
    const measured = new Measured(content, bytesMax);
    const file = await this.#try(() => open(temporary, "wx", 0o600));
    try {
      try {
        // Errors of the content are passed on as they are; those of the disk are told apart.
        for await (const piece of measured) await this.#try(() => writeAll(file, piece));
        await this.#try(() => file.datasync());
      } finally {
        await file.close();
      }
      await this.#try(() => publish(temporary, path, name));
    } finally {
      // What cannot be removed now is a leftover for the next start.
      await unlink(temporary).catch(() => undefined);
    }
    return measured.result();
  }

  async get(name: string, range?: ByteRange): Promise<ObjectContent | null> {
    const path = this.#pathOf(name);
    const found = await this.#try(() => unlessMissing(stat(path)));
    if (found === null) return null;
    const { size } = found;
    const { from, until } = spanOf(range, size);
    return { size, content: this.#read(path, from, until) };
  }

  /** Opens the file only when it is read, so that content which nobody reads holds nothing open. */
  async *#read(path: string, from: number, until: number): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.#try(() => open(path, "r"));
    try {
      for (let at = from; at < until; ) {
        const piece = Buffer.allocUnsafe(Math.min(limits.blobPieceBytesMax, until - at));
        const { bytesRead } = await this.#try(() => file.read(piece, 0, piece.length, at));
        if (bytesRead === 0) throw new BlobsUnavailable("io", `${path} is shorter than it was.`);
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async stat(name: string): Promise<{ readonly size: number } | null> {
    const path = this.#pathOf(name);
    const found = await this.#try(() => unlessMissing(stat(path)));
    return found === null ? null : { size: found.size };
  }

  async delete(name: string): Promise<void> {
    const path = this.#pathOf(name);
    await this.#try(() => rm(path, { force: true }));
  }

  async deleteAll(folder: string): Promise<void> {
    const path = this.#folderOf(folder);
    await this.#try(() => rm(path, { recursive: true, force: true }));
  }

  async *list(folder: string): AsyncGenerator<ListedObject, void, undefined> {
    const path = this.#folderOf(folder);
    const entries = await this.#try(() => unlessMissing(opendir(path)));
    if (entries === null) return;
    for await (const entry of entries) {
      const { name } = entry;
      if (entry.isDirectory()) yield* this.list(`${folder}/${name.replace(/\+$/, "")}`);
      else {
        const found = await this.#try(() => unlessMissing(stat(join(path, name))));
        if (found !== null) yield { name: `${folder}/${name}`, size: found.size };
      }
    }
  }

  async close(): Promise<void> {}

  #pathOf(name: string): string {
    checkObjectName(name);
    const segments = name.split("/");
    const last = segments.pop() ?? "";
    return join(this.#root, "objects", ...segments.map((segment) => `${segment}+`), last);
  }

  #folderOf(folder: string): string {
    return `${this.#pathOf(folder)}+`;
  }

  /** What an upload left whose process died. Another master may be writing a younger one at this moment. */
  async #removeLeftovers(): Promise<void> {
    const folder = join(this.#root, "uploading");
    for await (const { name } of await opendir(folder)) {
      const path = join(folder, name);
      const found = await unlessMissing(stat(path));
      if (found !== null && Date.now() - found.mtimeMs > defaults.blobLeaseMs) await rm(path, { force: true });
    }
  }

  async #try<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.#toBlobsError(error);
    }
  }

  #toBlobsError(error: unknown): unknown {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) return error;
    const isFull = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
    const text = isFull ? `The disk of ${this.#root} is full.` : `${this.#root} cannot be used: ${message}`;
    return new BlobsUnavailable(isFull ? "full" : "io", text, { cause: error });
  }
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
}

/** Gives a synced file its name, durably. @throws ObjectTaken */
async function publish(temporary: string, path: string, name: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await link(temporary, path);
      break;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") throw new ObjectTaken(`There is an object ${name}.`);
      // The folder was removed between the two calls.
      if (code !== "ENOENT" || tries === 3) throw error;
    }
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function unlessMissing<Result>(work: Promise<Result>): Promise<Result | null> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}
