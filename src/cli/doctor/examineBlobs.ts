/** The checks of `outlast doctor` on a place for files: whether it does, with a small file, what masters rely on. */

import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { type Blobs, BlobsUnavailable, ObjectTaken } from "../../ports/blobs.ts";
import { type BlobsFlags, findBlobs } from "../openBlobs.ts";
import { type Finding, good } from "./finding.ts";

const folder = "doctor";
const bytesMax = 1000;

/** Yields each finding as soon as it is there. Removes what it wrote. */
export async function* examineBlobs(flags: BlobsFlags): AsyncGenerator<Finding, void, undefined> {
  const blobs = await findBlobs(flags);
  const name = `${folder}/${randomUUID()}`;
  try {
    for (const { done, fault, check } of checksOn(blobs, name)) {
      const finding = await look(done, fault, check);
      yield finding;
      if (finding.verdict === "bad") return;
    }
  } finally {
    await blobs.delete(name).catch(() => undefined);
    await blobs.close();
  }
}

interface Check {
  readonly done: string;
  /** What is wrong if `check` says false. */
  readonly fault: string;
  /** What is told besides, or whether it is as it should be. */
  readonly check: () => Promise<boolean | string>;
}

function checksOn(blobs: Blobs, name: string): readonly Check[] {
  const text = `written by outlast doctor: ${name}`;
  return [
    { done: "can be used", fault: "", check: () => blobs.open() },
    {
      done: "a file is written",
      fault: "A file was not written whole.",
      check: async () => (await blobs.put(name, Readable.from([Buffer.from(text)]), bytesMax)).size === text.length,
    },
    {
      done: "it is read at once, as it was written",
      fault: "A file that was just written is not read as it was written.",
      check: async () => (await readText(blobs, name)) === text,
    },
    {
      done: "it cannot be written over",
      fault: "A file could be written over.",
      check: () => isRefused(() => blobs.put(name, Readable.from([Buffer.from("other")]), bytesMax)),
    },
    {
      done: "it is listed",
      fault: "A file that was just written is not listed.",
      check: async () => (await Array.fromAsync(blobs.list(folder))).some((listed) => listed.name === name),
    },
    {
      done: "it is removed",
      fault: "A file that was just removed is still there.",
      check: async () => {
        await blobs.delete(name);
        return (await blobs.stat(name)) === null;
      },
    },
  ];
}

async function look(done: string, fault: string, check: Check["check"]): Promise<Finding> {
  try {
    const result = await check();
    if (result === false) return bad(fault, "Use another place for files: masters rely on this.");
    return good("files", typeof result === "string" ? `${result} ${done}` : done);
  } catch (error) {
    if (!(error instanceof BlobsUnavailable)) throw error;
    const isAway = error.reason === "network";
    const advice = isAway
      ? "See that it runs, and that this machine reaches it."
      : "See its name, its rights, and the credentials.";
    return bad(error.message, error.reason === "full" ? "Free some space there." : advice);
  }
}

async function isRefused(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    if (error instanceof ObjectTaken) return true;
    throw error;
  }
}

async function readText(blobs: Blobs, name: string): Promise<string | null> {
  const found = await blobs.get(name);
  return found === null ? null : Buffer.concat(await Array.fromAsync(found.content)).toString();
}

function bad(message: string, advice: string): Finding {
  return { verdict: "bad", what: "files", message, advice };
}
