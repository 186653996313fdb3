/** What a simulated store really holds: the journal's truth and the view that follows from it. No master sees this directly. */
import type { Entry, OutgoingEntry, Write } from "../../model/entry.ts";
import type { Incarnation, TaskId, WorkerId } from "../../model/ids.ts";
import type { Lease } from "../../model/lease.ts";
import type { LogChunk } from "../../model/protocol.ts";
import { isFinal, type TaskDocument, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import type { QueueRecord, WorkerRecord } from "../../model/worker.ts";
import type { LandedEntry, Ledger } from "../ledger.ts";
import type { Timeline } from "./timeline.ts";

interface StoredStatus {
  readonly status: TaskStatus;
  readonly seq: number;
}

export class StoreDisk {
  readonly incarnation = "simulated-store" as Incarnation;
  readonly entries: Entry[] = [];
  readonly landed: LandedEntry[] = [];
  readonly specs = new Map<TaskId, TaskSpec>();
  readonly statuses = new Map<TaskId, StoredStatus>();
  readonly workers = new Map<WorkerId, WorkerRecord>();
  readonly queues = new Map<string, QueueRecord>();
  /** Pieces of logs by task and attempt, then by offset. */
  readonly logs = new Map<string, Map<number, LogChunk>>();
  lease: Lease | null = null;
  #unfinished = 0;
  #statusCount = 0;
  readonly #timeline: Timeline;
  readonly #ledger: Ledger;

  constructor(timeline: Timeline, ledger: Ledger) {
    this.#timeline = timeline;
    this.#ledger = ledger;
  }

  get seq(): number {
    return this.entries.length;
  }

  /** Tasks that are not final. */
  get unfinishedCount(): number {
    return this.#unfinished;
  }

  /** How often any task has changed. */
  get statusCount(): number {
    return this.#statusCount;
  }

  /** The instant at which an entry goes in, or finds its slot taken. */
  land(outgoing: OutgoingEntry): "committed" | "taken" {
    const { seq } = outgoing;
    if (seq <= this.seq) return "taken";
    if (seq !== this.seq + 1) throw new Error(`the entry ${seq} would leave a gap after ${this.seq}`);
    const { epoch, nonce, at, format, previousCrc, crc, body } = outgoing;
    this.entries.push({ seq, epoch, nonce, at, format, previousCrc, crc, body });
    // The body is what a store keeps, so the body is what the truth is read from.
    const writes = JSON.parse(body) as Write[];
    for (const write of writes) this.#apply(write, seq);
    this.#ledger.add({ kind: "landed", seq });
    const order = this.#ledger.events.length - 1;
    this.landed.push({ seq, epoch, nonce, at, crc, previousCrc, landedAt: this.#timeline.now, order, writes });
    this.#timeline.trace(`store: entry ${seq} of epoch ${epoch} is in: ${writes.map(describeWrite).join(", ")}`);
    return "committed";
  }

  document(id: TaskId): TaskDocument | null {
    const spec = this.specs.get(id);
    const stored = this.statuses.get(id);
    return spec === undefined || stored === undefined ? null : { ...spec, ...stored.status };
  }

  keepLogs(chunks: readonly LogChunk[]): void {
    for (const chunk of chunks) {
      const key = `${chunk.task}/${chunk.attempt}`;
      const pieces = this.logs.get(key) ?? new Map<number, LogChunk>();
      this.logs.set(key, pieces);
      if (!pieces.has(chunk.offset)) pieces.set(chunk.offset, chunk);
    }
  }

  #apply(write: Write, seq: number): void {
    switch (write.kind) {
      case "spec":
        this.specs.set(write.spec.id, write.spec);
        return;
      case "status": {
        const before = this.statuses.get(write.status.id)?.status.state;
        if (before !== undefined && !isFinal(before)) this.#unfinished -= 1;
        if (!isFinal(write.status.state)) this.#unfinished += 1;
        this.#statusCount += 1;
        this.statuses.set(write.status.id, { status: write.status, seq });
        return;
      }
      case "worker":
        this.workers.set(write.worker.id, write.worker);
        return;
      case "queue":
        this.queues.set(write.queue.name, write.queue);
        return;
      case "forget-task":
        this.specs.delete(write.id);
        this.statuses.delete(write.id);
        return;
      case "forget-worker":
        this.workers.delete(write.id);
        return;
      case "digest":
      case "marker":
        return;
      default:
        write satisfies never;
    }
  }
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
    case "worker":
      return `${write.worker.id} ${write.worker.state}${write.worker.isDraining ? " draining" : ""} boot ${write.worker.boot}`;
    case "queue":
      return `queue ${write.queue.name} ${write.queue.isPaused ? "paused" : "open"}`;
    case "digest":
      return `digest ${write.digest}`;
    case "marker":
      return `marker ${write.address}`;
    case "forget-task":
    case "forget-worker":
      return `${write.kind} ${write.id}`;
    default:
      return write satisfies never;
  }
}
