/** The ports of a worker as puppets: a test says what they do and looks at what they were told. */
import type { ChildrenPage, StepsPage, StepsRequest } from "../../model/family.ts";
import type { Incarnation, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type {
  AttachRequest,
  AttemptEnd,
  AttemptRef,
  LogChunk,
  ReportRequest,
  ResultItem,
  StreamMessage,
} from "../../model/protocol.ts";
import { protocolVersions } from "../../model/protocol.ts";
import { LinkError, type MasterLink, type StreamHandlers } from "../../ports/transport.ts";
import type { AttemptSession, Executor, LogSpool, Outbox, SpooledPieceRef } from "../../ports/work.ts";

const incarnation = "store" as Incarnation;

/** A master that takes everything, unless told to break. */
export class FakeLink implements MasterLink {
  readonly attaches: AttachRequest[] = [];
  readonly reports: ReportRequest[] = [];
  readonly logs: LogChunk[] = [];
  stream: StreamHandlers | null = null;
  isAway = false;
  /** What the task remembers. */
  pages: readonly StepsPage[] = [];
  /** The version that it agrees on. */
  protocol: number = protocolVersions.max;
  /** Thrown by the next call that sends output. */
  logFailures: string[] = [];
  /** What it refuses for good. */
  refusedLogs: (chunks: readonly LogChunk[]) => boolean = () => false;

  async attach(_worker: WorkerId, request: AttachRequest) {
    if (this.isAway) throw new LinkError("unreachable", "away");
    this.attaches.push(request);
    const session = `s${this.attaches.length}` as SessionId;
    const { protocol } = this;
    return { session, epoch: 1, incarnation, abort: [], verdicts: [], heartbeatMs: 1000, protocol };
  }

  openStream(_worker: WorkerId, _session: SessionId, handlers: StreamHandlers) {
    this.stream = handlers;
    return { close: () => this.closeStream("closed by the worker") };
  }

  async report(_worker: WorkerId, request: ReportRequest) {
    if (this.isAway) throw new LinkError("unreachable", "away");
    this.reports.push(request);
    this.say({ kind: "beat", epoch: 1 });
    const verdict = "committed" as const;
    const isOld = this.protocol < 2;
    const results = isOld ? request.items.filter((item) => item.kind === "result") : [];
    const ids = request.items.flatMap((item) => ("id" in item && item.id !== undefined ? [item.id] : []));
    const verdicts = results.map(({ task, attempt }) => ({ task, attempt, verdict }));
    return { epoch: 1, verdicts, ...(isOld ? {} : { acks: ids.map((id) => ({ id, verdict })) }) };
  }

  /** By the last step of a page. */
  async readSteps(_worker: WorkerId, { after }: StepsRequest): Promise<StepsPage> {
    if (this.isAway) throw new LinkError("unreachable", "away");
    const page = this.pages.findIndex(({ next }) => next === after) + 1;
    return this.pages[after === null ? 0 : page] ?? { steps: [], next: null };
  }

  async readChildren(): Promise<ChildrenPage> {
    if (this.isAway) throw new LinkError("unreachable", "away");
    return { children: [], next: null };
  }

  async sendLogs(_worker: WorkerId, _session: SessionId, chunks: readonly LogChunk[]): Promise<void> {
    const failure = this.logFailures.shift();
    if (failure !== undefined) throw new LinkError(failure, failure);
    if (this.refusedLogs(chunks)) throw new LinkError("invalid", "invalid");
    this.logs.push(...chunks);
  }

  say(message: StreamMessage): void {
    this.stream?.onMessage(message);
  }

  assign(...tasks: string[]): void {
    const payload = {
      attempt: 1,
      assignedAt: 1,
      name: "n",
      kind: "sleep",
      input: { seconds: 1 },
      timeoutMs: null,
    } as const;
    this.say({ kind: "assign", epoch: 1, assignments: tasks.map((task) => ({ task: task as TaskId, ...payload })) });
  }

  /** The connection breaks, or either side closes it. */
  closeStream(reason: string): void {
    const { stream } = this;
    this.stream = null;
    stream?.onClose(reason);
  }

  get items(): string[] {
    return this.reports.flatMap(({ items }) =>
      items.map((item) => ("task" in item ? `${item.task} ${item.kind}` : item.kind)),
    );
  }
}

export class FakeOutbox implements Outbox {
  readonly kept = new Map<string, ResultItem>();
  epochs: number[] = [];
  failures = 0;
  isOpen = false;

  async open() {
    this.isOpen = true;
    return { results: [...this.kept.values()], epochMax: 0, incarnation: null };
  }

  async put(results: readonly ResultItem[]): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("no space left on device");
    }
    for (const result of results) this.kept.set(result.task, result);
  }

  async remove(attempts: readonly AttemptRef[]): Promise<void> {
    for (const { task } of attempts) this.kept.delete(task);
  }

  async saveEpoch(_incarnation: Incarnation, epoch: number): Promise<void> {
    this.epochs.push(epoch);
  }

  async close(): Promise<void> {
    this.isOpen = false;
  }
}

export class FakeExecutor implements Executor {
  readonly kinds = ["sleep", "exec"];
  readonly running = new Map<string, AttemptSession>();
  readonly started: string[] = [];
  endsAtOnce = false;

  start({ task }: AttemptRef, session: AttemptSession): void {
    this.started.push(task);
    if (this.endsAtOnce) return session.end({ outcome: "success", startedAt: 1, endedAt: 2 });
    this.running.set(task, session);
  }

  abort({ task }: AttemptRef): void {
    this.end(task, "aborted");
  }

  end(task: string, outcome: AttemptEnd["outcome"] = "success"): void {
    const session = this.running.get(task);
    this.running.delete(task);
    session?.end({ outcome, startedAt: 1, endedAt: 2 });
  }

  async stop(): Promise<void> {
    for (const task of [...this.running.keys()]) this.end(task, "aborted");
  }
}

export class FakeSpool implements LogSpool {
  pieces: LogChunk[] = [];
  readonly lengths = new Map<string, number>();

  write(attempt: AttemptRef, at: number, bytes: Uint8Array): undefined {
    const offset = this.lengths.get(attempt.task) ?? 0;
    this.pieces.push({ ...attempt, offset, at, bytes, isTruncated: false });
    this.lengths.set(attempt.task, offset + bytes.length);
  }

  take(): readonly LogChunk[] {
    return [...this.pieces];
  }

  stored(chunks: readonly SpooledPieceRef[]): void {
    this.pieces = this.pieces.filter(
      (piece) => !chunks.some(({ task, offset }) => task === piece.task && offset === piece.offset),
    );
  }

  end({ task }: AttemptRef): number {
    return this.lengths.get(task) ?? 0;
  }

  close(): true {
    return true;
  }
}
