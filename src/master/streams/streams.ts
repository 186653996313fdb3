/** The open streams to workers. They carry the leader's effects and its heartbeats. */
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
  /** Sessions whose stream is not open yet. */
  readonly #expected = new Map<WorkerId, SessionId>();
  /** Who opened the current session of each worker. */
  readonly #owners = new Map<WorkerId, string>();
  #beatTimer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The worker has this session. Its first reports may arrive before its stream is open. */
  expect(worker: WorkerId, session: SessionId, owner?: string): void {
    this.#owners.delete(worker);
    if (owner !== undefined) this.#owners.set(worker, owner);
    this.#expected.delete(worker);
    this.#expected.set(worker, session);
    // The oldest such worker has been given up long ago.
    const [longest] = this.#expected.keys();
    if (this.#expected.size > limits.workersMax && longest !== undefined) this.#expected.delete(longest);
    const [firstOwned] = this.#owners.keys();
    if (this.#owners.size > limits.workersMax && firstOwned !== undefined) this.#owners.delete(firstOwned);
  }

  open(worker: WorkerId, session: SessionId, sink: StreamSink): void {
    this.#expected.delete(worker);
    this.#byWorker.get(worker)?.sink.close();
    this.#byWorker.set(worker, { session, sink });
  }

  /** The connection of this sink is closed. @returns false if another stream had replaced it */
  forget(worker: WorkerId, sink: StreamSink): boolean {
    return this.#byWorker.get(worker)?.sink === sink && this.#byWorker.delete(worker);
  }

  isOpen(worker: WorkerId, session: SessionId): boolean {
    return this.#byWorker.get(worker)?.session === session;
  }

  /** True if this is the worker's current session: its stream is open, or expected. */
  isKnown(worker: WorkerId, session: SessionId): boolean {
    return this.isOpen(worker, session) || this.#expected.get(worker) === session;
  }

  /** True if this principal has opened the worker's session. Calls of Outlast itself have none. */
  isOwner(worker: WorkerId, name: string | undefined): boolean {
    return name === undefined || (this.#owners.get(worker) ?? name) === name;
  }

  /** Sends to one session; a message for an earlier session of the worker is dropped. */
  send(worker: WorkerId, session: SessionId, message: StreamMessage): void {
    const stream = this.#byWorker.get(worker);
    if (stream?.session === session) stream.sink.send(message);
  }

  /** Resolves when the worker has taken what was sent in this session, or the session is over. */
  async drained(worker: WorkerId, session: SessionId): Promise<void> {
    const stream = this.#byWorker.get(worker);
    if (stream?.session === session) await stream.sink.drained?.();
  }

  close(worker: WorkerId, session: SessionId): void {
    const stream = this.#byWorker.get(worker);
    if (stream?.session === session) stream.sink.close();
  }

  /** Closes every connection. The close is then handled like any other. */
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
    this.#owners.clear();
  }
}
