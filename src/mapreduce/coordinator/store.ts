/**
 * Where a job keeps its files, as the job sees it: what is between map and reduce, and the output. A name is given out once: each
 * attempt writes under a name of its own, so that an attempt that was given up changes nothing.
 */
import type { ReadAt } from "../engine/segment.ts";

/** A file that was written whole. */
export interface FileRef {
  /** Within the folder of the job. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly sha256: string;
}

export interface JobStore {
  /** Makes the place for the files of the job. Only the beginning of the job does that: what comes late finds it gone. */
  open(): Promise<void>;
  /** Begins a file whose name begins and ends like this. Here or at its end: @throws NonRetryableError if the job is over */
  create(prefix: string, suffix?: string): JobFileWriter;
  /** The text of a file, checked. @throws DamagedSegment if it is gone or not what was written */
  text(file: FileRef): Promise<string>;
  /** Opens a file. @throws DamagedSegment if it is gone or has another size */
  read(file: Pick<FileRef, "name" | "size">): Promise<JobFileReader>;
  /** From here on earlier attempts of the job change nothing of the output. @throws Error if a later attempt promotes, or the job is over */
  promotion(attempt: number): Promise<Promotion>;
  /** Removes all files of the job. From here on no attempt of it changes anything, however late it is. */
  remove(): Promise<void>;
}

export interface JobFileWriter {
  write(bytes: Uint8Array): void;
  /** Durable when it is done, unless it `isRemade` where it is lost. @throws NonRetryableError if the job is over */
  end(options?: { readonly isRemade?: boolean }): FileRef | Promise<FileRef>;
  /** Removes what was written; does nothing after `end`. */
  abandon(): void;
}

export interface JobFileReader {
  readonly readAt: ReadAt;
  close(): void;
}

/** Changes the output folder. Each change happens whole or not at all, and fails once a later attempt promotes. */
export interface Promotion {
  /** Names in the output folder. */
  names(): Promise<readonly string[]>;
  /** Gives a file of the job a name in the output. @returns false if another file has that name */
  link(file: FileRef, as: string): Promise<boolean>;
  /** The same in place of whatever has that name. */
  replace(file: FileRef, as: string): Promise<void>;
  /** Takes a file out of the output, if it is there. */
  retract(name: string): Promise<void>;
}

export async function writeText(store: JobStore, prefix: string, content: string, suffix = ""): Promise<FileRef> {
  const file = store.create(prefix, suffix);
  try {
    file.write(Buffer.from(content));
    return await file.end();
  } finally {
    file.abandon();
  }
}
