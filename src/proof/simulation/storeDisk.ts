/** What a simulated store really holds, for good: the journal's truth and the view that follows from it. No master sees this directly. */
import type { Entry, OutgoingEntry, RecordWrite, Write } from "../../model/entry.ts";
import { readWrites } from "../../model/entryWrites.ts";
import type { Incarnation, Nonce, TaskId } from "../../model/ids.ts";
import { attemptKey } from "../../model/ids.ts";
import type { Lease } from "../../model/lease.ts";
import { isOutputOf } from "../../model/logOwner.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { Submission } from "../../model/submission.ts";
import type { FinalLog, LandedEntry, Ledger, LogPiece } from "../checkers/ledger.ts";
import { StoreView } from "./storeView.ts";
import type { Timeline } from "./timeline.ts";

/** Whoever has written no note for this long comes back as somebody whom the others have yet to see. */
const outOfSightMs = 5_000;

export class StoreDisk {
  readonly incarnation = "simulated-store" as Incarnation;
  /** What compaction has left of the journal, ascending. */
  readonly #entries: Entry[] = [];
  /** All of it, for the checkers. */
  readonly landed: LandedEntry[] = [];
  readonly view = new StoreView();
  /** Pieces of logs by task and attempt, then by offset. */
  readonly logs = new Map<string, Map<number, LogChunk>>();
  readonly members = new Map<Nonce, MemberRecord>();
  /** When each note was written, in true time, and since when its author has been in sight. */
  readonly noted = new Map<Nonce, { readonly at: number; readonly since: number }>();
  /** Tasks that somebody put straight into the store, and that no master has made its own there. */
  readonly foreign = new Map<TaskId, Submission>();
  /** Those of them that an entry has adopted. The store's own documents follow later. */
  readonly #adopted = new Set<TaskId>();
  lease: Lease | null = null;
  /** The lease before, which somebody who reads late may still see. */
  leaseBefore: Lease | null = null;
  /** Told of every entry at the instant at which it goes in. */
  readonly onLanded: ((entry: LandedEntry) => void)[] = [];
  readonly #timeline: Timeline;
  readonly #ledger: Ledger;

  constructor(timeline: Timeline, ledger: Ledger) {
    this.#timeline = timeline;
    this.#ledger = ledger;
  }

  get seq(): number {
    return this.landed.length;
  }

  entry(seq: number): Entry | undefined {
    return this.#entries[seq - (this.#entries[0]?.seq ?? 1)];
  }

  /** Entries from `fromSeq` on, none later than `untilSeq`. */
  slice(fromSeq: number, untilSeq: number, max: number): Entry[] {
    const start = Math.max(0, fromSeq - (this.#entries[0]?.seq ?? 1));
    return this.#entries.slice(start, start + max).filter((entry) => entry.seq <= untilSeq);
  }

  /** The instant at which an entry goes in, or finds its slot taken. */
  land(outgoing: OutgoingEntry): "committed" | "taken" {
    const { seq } = outgoing;
    if (seq <= this.seq) return "taken";
    if (seq !== this.seq + 1) throw new Error(`the entry ${seq} would leave a gap after ${this.seq}`);
    const { epoch, nonce, at, format, previousCrc, crc, body } = outgoing;
    this.#entries.push({ seq, epoch, nonce, at, format, previousCrc, crc, body });
    // The body is what a store keeps, so the body is what the truth is read from.
    const writes = readWrites(outgoing);
    this.view.apply(seq, writes);
    for (const write of writes) {
      if (write.kind === "forget-task") this.#dropLogs(write.id);
      if (write.kind === "spec" && write.spec.adoptedFrom !== undefined) this.#adopted.add(write.spec.id);
    }
    this.#ledger.add({ kind: "landed", seq });
    const order = this.#ledger.events.length - 1;
    const landed = { seq, epoch, nonce, at, crc, previousCrc, landedAt: this.#timeline.now, order, writes };
    this.landed.push(landed);
    this.#timeline.trace(`store: entry ${seq} of epoch ${epoch} is in: ${writes.map(describeWrite).join(", ")}`);
    for (const listener of this.onLanded) listener(landed);
    return "committed";
  }

  /** The last entry always stays. Returns how many went. */
  compact(belowSeq: number, max: number): number {
    const first = this.#entries[0]?.seq ?? 1;
    const count = Math.max(0, Math.min(belowSeq, this.seq) - first);
    const gone = this.#entries.splice(0, Math.min(count, max)).length;
    if (gone > 0) this.#timeline.trace(`store: entries ${first} to ${first + gone - 1} are compacted away`);
    return gone;
  }

  /** Brings the documents up to date with the journal: what was adopted is not anybody else's any more. */
  claimAdopted(): void {
    for (const id of this.#adopted) this.foreign.delete(id);
    this.#adopted.clear();
  }

  get hasUnclaimed(): boolean {
    return this.#adopted.size > 0;
  }

  keepMember(member: MemberRecord): void {
    const { now } = this.#timeline;
    const before = this.noted.get(member.nonce);
    const isBack = before === undefined || now - before.at > outOfSightMs;
    this.members.set(member.nonce, { ...member });
    this.noted.set(member.nonce, { at: now, since: isBack ? now : before.since });
  }

  keepLogs(chunks: readonly LogChunk[]): void {
    for (const chunk of chunks) {
      const document = this.view.document(chunk.task);
      if (document === null || !isOutputOf(document, chunk)) continue;
      const key = attemptKey(chunk.task, chunk.attempt);
      const pieces = this.logs.get(key) ?? new Map<number, LogChunk>();
      this.logs.set(key, pieces);
      if (!pieces.has(chunk.offset)) pieces.set(chunk.offset, chunk);
    }
  }

  #dropLogs(task: string): void {
    for (const [key, pieces] of this.logs) {
      const [first] = pieces.values();
      if (first?.task !== task) continue;
      this.#ledger.add({ kind: "log-forgotten", task: first.task, attempt: first.attempt, pieces: textsOf(pieces) });
      this.logs.delete(key);
    }
  }

  /** Every log that is there, by `task/attempt`. */
  readLogs(): Map<string, FinalLog> {
    const found = new Map<string, FinalLog>();
    for (const [key, pieces] of this.logs) {
      const [first] = pieces.values();
      if (first !== undefined) found.set(key, { task: first.task, attempt: first.attempt, pieces: textsOf(pieces) });
    }
    return found;
  }
}

/** Simulated output is ASCII: its characters are its bytes. */
function textsOf(pieces: ReadonlyMap<number, LogChunk>): LogPiece[] {
  const texts = [...pieces.values()].map(({ offset, bytes }) => ({ offset, text: new TextDecoder().decode(bytes) }));
  return texts.sort((left, right) => left.offset - right.offset);
}

/** One write in a few words, for traces. */
export function describeWrite(write: Write): string {
  switch (write.kind) {
    case "spec":
      return `new ${write.spec.id}`;
    case "status": {
      const { id, state, attempt, host, failures, kills } = write.status;
      return `${id} ${state} attempt ${attempt}${host === undefined ? "" : ` on ${host}`} (failures ${failures}, kills ${kills})`;
    }
    case "record":
      return describeRecord(write);
    case "digest":
      return `digest ${JSON.stringify(write.digest)}`;
    case "marker":
      return `marker ${write.address}`;
    case "forget-task":
      return `forget task ${write.id}`;
    case "reopen-task":
      return `reopen task ${write.head.id}`;
    default:
      return write satisfies never;
  }
}

function describeRecord(write: RecordWrite): string {
  if (write.value === null) return `remove ${write.id} from ${write.collection}`;
  if (write.collection === "queues") return `queue ${write.id} ${write.value.isPaused ? "paused" : "open"}`;
  if (write.collection !== "workers") return `${write.collection} ${write.id} ${JSON.stringify(write.value)}`;
  const { id, state, isDraining, boot } = write.value;
  return `${id} ${state}${isDraining ? " draining" : ""} boot ${boot}`;
}
