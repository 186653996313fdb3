/** The open streams to workers: the leader's effects go down here, and a beat that shows that the leader lives. */
import type { SessionId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { StreamMessage } from "../../model/protocol.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { StreamSink } from "../../ports/transport.ts";

interface OpenStream {
  readonly session: SessionId;
  readonly sink: StreamSink;
}

export class Streams {
  readonly #clock: Clock;
  readonly #byWorker = new Map<WorkerId, OpenStream>();
  /** Sessions whose stream is still on its way here. */
  readonly #expected = new Map<WorkerId, SessionId>();
  #beatTimer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The worker has been given this session: its first reports may arrive before its stream does. */
  expect(worker: WorkerId, session: SessionId): void {
    this.#expected.delete(worker);
    this.#expected.set(worker, session);
    // Whoever attached so long ago and never opened a stream has been given up, and perhaps forgotten, since.
    const [longest] = this.#expected.keys();
    if (this.#expected.size > limits.workersMax && longest !== undefined) this.#expected.delete(longest);
  }

  open(worker: WorkerId, session: SessionId, sink: StreamSink): void {
    this.#expected.delete(worker);
    this.#byWorker.get(worker)?.sink.close();
    this.#byWorker.set(worker, { session, sink });
  }

  /** The connection behind this sink is gone. @returns false if another one had taken its place already */
  forget(worker: WorkerId, sink: StreamSink): boolean {
    return this.#byWorker.get(worker)?.sink === sink && this.#byWorker.delete(worker);
  }

  isOpen(worker: WorkerId, session: SessionId): boolean {
    return this.#byWorker.get(worker)?.session === session;
  }

  /** True if the worker may speak in this session: its stream is open, or about to be. */
  isKnown(worker: WorkerId, session: SessionId): boolean {
    return this.isOpen(worker, session) || this.#expected.get(worker) === session;
  }

  /** Sends to one session only; a message for an earlier session of the same worker is dropped. */
  send(worker: WorkerId, session: SessionId, message: StreamMessage): void {
    const stream = this.#byWorker.get(worker);
    if (stream?.session === session) stream.sink.send(message);
  }

  close(worker: WorkerId, session: SessionId): void {
    const stream = this.#byWorker.get(worker);
    if (stream?.session === session) stream.sink.close();
  }

  /** Closes every connection; their ends tell of it as of any other close. */
  hangUp(): void {
    for (const { sink } of [...this.#byWorker.values()]) sink.close();
  }

  startBeats(epoch: number, everyMs: number): void {
    this.#beatTimer = this.#clock.at(this.#clock.now() + everyMs, () => {
      for (const { sink } of [...this.#byWorker.values()]) sink.send({ kind: "beat", epoch });
      this.startBeats(epoch, everyMs);
    });
  }

  closeAll(): void {
    this.#beatTimer?.cancel();
    this.#beatTimer = null;
    for (const { sink } of [...this.#byWorker.values()]) sink.close();
    this.#byWorker.clear();
    this.#expected.clear();
  }
}
