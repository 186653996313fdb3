/** Encodes writes as a journal entry and decodes entries, checking every link of the chain. */
import { type Entry, entryFormat, type OutgoingEntry, type Write } from "../../model/entry.ts";
import { entryCrc } from "../../model/entryCrc.ts";
import { readWrites, recordText, UnreadableEntry, writeText } from "../../model/entryWrites.ts";
import type { Nonce } from "../../model/ids.ts";

/** A committed entry, decoded. */
export interface ChangeBatch {
  readonly seq: number;
  readonly epoch: number;
  readonly at: number;
  readonly writes: readonly Write[];
}

/** A position in the journal. */
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
  textOf: (write: Write) => string = recordText,
): OutgoingEntry {
  const texts = writes.map(textOf);
  // In one piece from the start: brackets put around it would copy it once more.
  let body = "[";
  writes.forEach((write, index) => {
    body += (index === 0 ? "" : ",") + writeText(write, texts[index] ?? "");
  });
  body += "]";
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

/**
 * Reads an entry's writes, without the records of `passedOver` collections.
 * @throws JournalBroken if the entry is damaged, or from a newer version
 */
export function decodeEntry(entry: Entry, passedOver?: ReadonlySet<string>): Write[] {
  if (entry.format <= entryFormat && entryCrc(entry) !== entry.crc) {
    throw new JournalBroken(`Entry ${entry.seq} of the journal is damaged: its checksum does not match its content.`);
  }
  try {
    return readWrites(entry, passedOver);
  } catch (error) {
    if (error instanceof UnreadableEntry) throw new JournalBroken(error.message);
    throw error;
  }
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

/** The journal is damaged: this master must not lead. */
export class JournalBroken extends Error {
  override readonly name = "JournalBroken";
}
