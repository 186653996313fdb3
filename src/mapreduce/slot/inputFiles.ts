/** The input of a job: finds its files, remembers which version of each was found, and reads that version and no other. */
import { type FileHandle, glob, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../../model/limits.ts";
import { isS3 } from "../../s3/address.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { OpenInput } from "../coordinator/mapWork.ts";
import type { PlannedFile } from "../coordinator/settings.ts";

const isWeb = (path: string) => /^https?:\/\//.test(path);

/** The files that paths lead to, sorted, each once. @throws NonRetryableError if one leads nowhere */
export async function findInput(paths: readonly string[]): Promise<PlannedFile[]> {
  const found = new Map<string, PlannedFile>();
  for (const path of paths) {
    const files = await filesOf(path);
    for (const file of files) found.set(file.path, file);
    if (found.size > limits.jobFilesMax)
      throw new NonRetryableError(`The input has more than ${limits.jobFilesMax} files.`);
  }
  return [...found.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function filesOf(path: string): Promise<PlannedFile[]> {
  if (isS3(path)) return (await s3Input()).findS3Input(path);
  return isWeb(path) ? [await addressed(path)] : filesAt(path);
}

/** Loads what most jobs never need. */
function s3Input() {
  return import("./s3Input.ts");
}

async function filesAt(path: string): Promise<PlannedFile[]> {
  const there = await stat(path).catch(() => null);
  if (there?.isFile() === true) return [await planned(path)];
  const names: string[] = [];
  if (there?.isDirectory() === true) {
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      const isHidden = /(^|\/)[._]/.test(join(entry.parentPath, entry.name).slice(path.length));
      if (entry.isFile() && !isHidden) names.push(join(entry.parentPath, entry.name));
    }
  } else if (/[*?[\]{}]/.test(path)) {
    for await (const name of glob(path)) if ((await stat(name)).isFile()) names.push(name);
  }
  if (names.length > 0) return Promise.all(names.map(planned));
  throw new NonRetryableError(`There is no input at ${path}. Paths must lead to the same files on every worker.`);
}

async function planned(path: string): Promise<PlannedFile> {
  const { size, mtimeMs } = await stat(path);
  return { path, size, version: String(Math.round(mtimeMs)) };
}

async function addressed(path: string): Promise<PlannedFile> {
  const answer = await fetch(path, { method: "HEAD" });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}.`);
  const size = Number(answer.headers.get("content-length"));
  const version = answer.headers.get("etag") ?? answer.headers.get("last-modified");
  const hasRanges = answer.headers.get("accept-ranges") === "bytes";
  if (hasRanges && version !== null && Number.isSafeInteger(size) && size > 0) return { path, size, version };
  throw new NonRetryableError(
    `${path} cannot be read in parts: its server must send Content-Length, Accept-Ranges: bytes, and an ETag or Last-Modified.`,
  );
}

/** @throws NonRetryableError if the file is not the one that was planned */
export async function openInput(file: PlannedFile): Promise<OpenInput> {
  if (isS3(file.path)) return new (await s3Input()).S3Input(file);
  return isWeb(file.path) ? new AddressedFile(file) : localFile(file);
}

async function localFile(file: PlannedFile): Promise<OpenInput> {
  const now = await planned(file.path).catch((error: unknown) => {
    throw new Error(`${file.path} cannot be read on this worker: ${String(error)}`, { cause: error });
  });
  if (now.size !== file.size || now.version !== file.version) throw changed(file);
  return new LocalFile(await open(file.path));
}

class LocalFile implements OpenInput {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async read(target: Buffer, position: number): Promise<number> {
    return (await this.#file.read(target, 0, target.length, position)).bytesRead;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

class AddressedFile implements OpenInput {
  readonly #file: PlannedFile;

  constructor(file: PlannedFile) {
    this.#file = file;
  }

  async read(target: Buffer, position: number): Promise<number> {
    const { path, size, version } = this.#file;
    if (position >= size) return 0;
    const last = Math.min(size, position + target.length) - 1;
    const answer = await fetch(path, { headers: { range: `bytes=${position}-${last}` } });
    if (answer.status !== 206) throw new Error(`${path} answered ${answer.status} to a request for a part.`);
    if ((answer.headers.get("etag") ?? answer.headers.get("last-modified")) !== version) throw changed(this.#file);
    const bytes = Buffer.from(await answer.arrayBuffer());
    return bytes.copy(target);
  }

  async close(): Promise<void> {}
}

function changed({ path }: PlannedFile): NonRetryableError {
  return new NonRetryableError(`${path} was changed while the job ran. Submit the job again.`);
}
