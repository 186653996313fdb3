/** Between the writes of an entry and the JSON text that stores keep, older formats included. */
import { isCollection, problemOfRecord } from "./collections/table.ts";
import { type Entry, entryFormat, type Write } from "./entry.ts";
import type { QueueRecord, WorkerRecord } from "./worker.ts";

/** The JSON text of one write, made without encoding its record twice. `text` is from `recordText`. */
export function writeText(write: Write, text: string): string {
  switch (write.kind) {
    case "spec":
      return `{"kind":"spec","spec":${text}}`;
    case "status":
      return `{"kind":"status","status":${text}}`;
    case "record":
      return `{"kind":"record","collection":"${write.collection}","id":${JSON.stringify(write.id)},"value":${text}}`;
    case "forget-task":
    case "reopen-task":
    case "digest":
    case "marker":
      return text;
    default:
      return write satisfies never;
  }
}

/** The JSON text of the part of a write that stores keep as it is. */
export function recordText(write: Write): string {
  switch (write.kind) {
    case "spec":
      return JSON.stringify(write.spec);
    case "status":
      return JSON.stringify(write.status);
    case "record":
      return JSON.stringify(write.value);
    case "forget-task":
    case "reopen-task":
    case "digest":
    case "marker":
      return JSON.stringify(write);
    default:
      return write satisfies never;
  }
}

/**
 * Reads the writes of an entry of any known format. Records of `passedOver` collections are left out: this master does not
 * understand them. @throws UnreadableEntry for what no version of Outlast up to this one wrote
 */
export function readWrites(
  entry: Pick<Entry, "seq" | "format" | "body">,
  passedOver: ReadonlySet<string> = none,
): Write[] {
  if (entry.format > entryFormat) {
    throw new UnreadableEntry(
      `Entry ${entry.seq} has format ${entry.format}; this version of Outlast knows up to ${entryFormat}. Upgrade this master.`,
    );
  }
  const found = JSON.parse(entry.body) as (Write | FirstFormat)[];
  const writes: Write[] = [];
  for (const each of found) {
    const write = entry.format === 1 ? fromFirstFormat(each as FirstFormat) : (each as Write);
    if (!Object.hasOwn(kinds, write.kind))
      throw new UnreadableEntry(`Entry ${entry.seq} holds a write of the unknown kind ${String(write.kind)}.`);
    if (write.kind === "record") {
      if (passedOver.has(write.collection)) continue;
      checkRecord(entry.seq, write);
    }
    writes.push(write);
  }
  return writes;
}

/** The journal says something that this version does not understand. */
export class UnreadableEntry extends Error {
  override readonly name = "UnreadableEntry";
}

const none: ReadonlySet<string> = new Set();

const kinds: { readonly [Kind in Write["kind"]]: true } = {
  spec: true,
  status: true,
  record: true,
  "forget-task": true,
  "reopen-task": true,
  digest: true,
  marker: true,
};

function checkRecord(seq: number, { collection, id, value }: Extract<Write, { kind: "record" }>): void {
  if (!isCollection(collection)) {
    const message = `Entry ${seq} holds a record of the unknown collection ${String(collection)}. Upgrade this master.`;
    throw new UnreadableEntry(message);
  }
  const problem = problemOfRecord(collection, id, value);
  if (problem !== null) throw new UnreadableEntry(`Entry ${seq} cannot be read: ${problem}`);
}

/** The writes of format 1 that have changed since; the others are the same. */
type FirstFormat =
  | { readonly kind: "worker"; readonly worker: WorkerRecord }
  | { readonly kind: "forget-worker"; readonly id: string }
  | { readonly kind: "queue"; readonly queue: QueueRecord }
  | { readonly kind: "digest"; readonly digest: number }
  | { readonly kind: "marker"; readonly address: string }
  | Extract<Write, { kind: "spec" | "status" | "forget-task" }>;

function fromFirstFormat(write: FirstFormat): Write {
  switch (write.kind) {
    case "worker":
      return { kind: "record", collection: "workers", id: write.worker.id, value: write.worker };
    case "forget-worker":
      return { kind: "record", collection: "workers", id: write.id, value: null };
    case "queue":
      return { kind: "record", collection: "queues", id: write.queue.name, value: write.queue };
    case "digest":
      return { kind: "digest", digest: { tasks: write.digest } };
    case "marker":
      return { kind: "marker", address: write.address, collections: firstVersions };
    default:
      return write;
  }
}

/** What a master of format 1 writes. */
const firstVersions = { queues: 1, workers: 1 };
