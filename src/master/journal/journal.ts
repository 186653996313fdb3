/** Writes become an entry of the journal, and an entry becomes writes again, with every link of the chain checked. */
import { type Entry, entryFormat, type OutgoingEntry, type Write } from "../../model/entry.ts";
import { entryCrc } from "../../model/entryCrc.ts";
import type { Nonce } from "../../model/ids.ts";

/** A committed entry, decoded. */
export interface ChangeBatch {
  readonly seq: number;
  readonly epoch: number;
  readonly at: number;
  readonly writes: readonly Write[];
}

/** Where the journal stands for somebody who has read or written it up to here. */
export interface JournalPosition {
  readonly seq: number;
  readonly epoch: number;
  readonly crc: number;
}

export const journalStart: JournalPosition = { seq: 0, epoch: 0, crc: 0 };

/** The entry after `position`, ready to be appended. */
export function encodeEntry(
  position: JournalPosition,
  author: { readonly epoch: number; readonly nonce: Nonce },
  at: number,
  writes: readonly Write[],
): OutgoingEntry {
  const texts = writes.map((write) => JSON.stringify(recordOf(write)));
  // The JSON text of the writes, as stores and their checks read it, made without encoding the records twice.
  const body = `[${writes.map((write, index) => textOf(write, texts[index] ?? "")).join(",")}]`;
  const fields = {
    seq: position.seq + 1,
    epoch: author.epoch,
    nonce: author.nonce,
    at,
    format: entryFormat,
    previousCrc: position.crc,
    body,
  };
  return { ...fields, crc: entryCrc(fields), writes, texts };
}

function textOf(write: Write, recordText: string): string {
  const { kind } = write;
  return kind === "forget-task" ? JSON.stringify(write) : `{"kind":"${kind}","${recordFields[kind]}":${recordText}}`;
}

/** Where in a write its record stands. */
const recordFields: { readonly [Kind in Write["kind"]]: string } = {
  spec: "spec",
  status: "status",
  worker: "worker",
  queue: "queue",
  "forget-task": "id",
  "forget-worker": "id",
  digest: "digest",
  marker: "address",
};

/** The part of a write that is stored as it is. */
function recordOf(write: Write): unknown {
  switch (write.kind) {
    case "spec":
      return write.spec;
    case "status":
      return write.status;
    case "worker":
      return write.worker;
    case "queue":
      return write.queue;
    case "forget-task":
    case "forget-worker":
      return write.id;
    case "digest":
      return write.digest;
    case "marker":
      return write.address;
    default:
      return write satisfies never;
  }
}

/** Reads an entry's writes. @throws JournalBroken if the entry is damaged, or from a newer version */
export function decodeEntry(entry: Entry): Write[] {
  if (entry.format > entryFormat) {
    throw new JournalBroken(
      `Entry ${entry.seq} has format ${entry.format}; this version of Outlast knows up to ${entryFormat}. Upgrade this master.`,
    );
  }
  if (entryCrc(entry) !== entry.crc) {
    throw new JournalBroken(`Entry ${entry.seq} of the journal is damaged: its checksum does not match its content.`);
  }
  const writes = JSON.parse(entry.body) as Write[];
  for (const { kind } of writes) {
    if (!Object.hasOwn(recordFields, kind))
      throw new JournalBroken(`The journal holds a record of the unknown kind ${String(kind)}.`);
  }
  return writes;
}

/** Checks that `entry` is the one that follows `position`. @throws JournalBroken */
export function checkLink(position: JournalPosition, entry: Entry): void {
  if (entry.seq !== position.seq + 1 || entry.previousCrc !== position.crc || entry.epoch < position.epoch) {
    throw new JournalBroken(
      `Entry ${entry.seq} (epoch ${entry.epoch}) does not follow entry ${position.seq} (epoch ${position.epoch}): the chain is broken.`,
    );
  }
}

export function positionOf(entry: Entry): JournalPosition {
  return { seq: entry.seq, epoch: entry.epoch, crc: entry.crc };
}

/** The journal cannot be believed: this master must not lead, and must not guess. */
export class JournalBroken extends Error {
  override readonly name = "JournalBroken";
}
