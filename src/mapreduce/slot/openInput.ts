/** Opens the input of a map: the version of a file that was planned, and no other, as text. */
import type { Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { isS3 } from "../../s3/address.ts";
import type { OpenInput } from "../coordinator/mapWork.ts";
import type { PlannedFile } from "../coordinator/settings.ts";
import { storedVersion } from "./plannedFile.ts";
import { unpacked } from "./sequentialInput.ts";
import { changed, isWeb, openWebInput } from "./webInput.ts";

/** @throws NonRetryableError if the file is not the one that was planned; when it is read, too */
export async function openInput(file: PlannedFile): Promise<OpenInput> {
  const stored = await openStored(file);
  return file.compression === undefined ? stored : unpacked(stored, file.compression, file.path);
}

async function openStored(file: PlannedFile): Promise<OpenInput> {
  if (!isS3(file.path)) return isWeb(file.path) ? openWebInput(file) : openLocal(file);
  // Most jobs never need it.
  const { S3Input } = await import("./s3Input.ts");
  return new S3Input(file);
}

async function openLocal(file: PlannedFile): Promise<OpenInput> {
  const handle = await open(file.path).catch((error: unknown) => {
    throw new Error(`${file.path} cannot be read on this worker: ${String(error)}`, { cause: error });
  });
  const opened = new LocalFile(handle, file);
  try {
    await opened.check();
  } catch (error) {
    await handle.close();
    throw error;
  }
  return opened;
}

/** What is told from another text of a file. */
export async function versionAt(path: string): Promise<{ readonly size: number; readonly version: string }> {
  return versionOf(await stat(path));
}

function versionOf({ size, mtimeMs }: Stats): { readonly size: number; readonly version: string } {
  return { size, version: String(Math.round(mtimeMs)) };
}

class LocalFile implements OpenInput {
  readonly #file: FileHandle;
  readonly #planned: PlannedFile;

  constructor(file: FileHandle, planned: PlannedFile) {
    this.#file = file;
    this.#planned = planned;
  }

  /** @throws NonRetryableError if it is not the version that was planned */
  async check(): Promise<void> {
    const now = versionOf(await this.#file.stat());
    if (now.size !== this.#planned.size || now.version !== storedVersion(this.#planned)) throw changed(this.#planned);
  }

  async read(target: Buffer, position: number): Promise<number> {
    return (await this.#file.read(target, 0, target.length, position)).bytesRead;
  }

  /** It may have changed while it was read. */
  async close(): Promise<void> {
    try {
      await this.check();
    } finally {
      await this.#file.close();
    }
  }
}
