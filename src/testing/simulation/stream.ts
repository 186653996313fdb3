/** One simulated stream from a master down to a worker: ordered, cut, reset, or dead without either end knowing. */
import type { SessionId, WorkerId } from "../../model/ids.ts";
import type { StreamMessage } from "../../model/protocol.ts";
import type { Stream, StreamHandlers, StreamSink } from "../../ports/transport.ts";
import { type Callee, type Caller, type RunningMaster, throughJson, type Wire } from "./call.ts";

/** Told what passes the master's end of the stream, inside the master's process. */
export interface StreamWitness {
  opened(master: RunningMaster): void;
  sent(master: RunningMaster, message: StreamMessage): void;
  closed(master: RunningMaster): void;
}

/** A stream whose bytes find no way for this long is given up by the master's side. */
const giveUpMs = 30_000;

export class SimulatedStream implements Stream {
  readonly #wire: Wire;
  readonly #caller: Caller;
  readonly #callee: Callee;
  readonly #handlers: StreamHandlers;
  readonly #witness: StreamWitness;
  #master: RunningMaster | null = null;
  #onMasterClose: (() => void) | null = null;
  #isWorkerEndOver = false;
  #isMasterEndOver = false;
  #isDead = false;
  /** Messages under way, in order; each leaves the line when it has arrived. */
  readonly #line: StreamMessage[] = [];
  #isPumping = false;

  constructor(wire: Wire, caller: Caller, callee: Callee, handlers: StreamHandlers, witness: StreamWitness) {
    this.#wire = wire;
    this.#caller = caller;
    this.#callee = callee;
    this.#handlers = handlers;
    this.#witness = witness;
    caller.process.onDeath(() => this.#tellMaster());
  }

  connect(worker: WorkerId, session: SessionId): void {
    this.#toMaster(() => {
      const master = this.#callee.running;
      if (master === null) return this.#tellWorker("connection refused");
      master.process.onDeath(() => this.#tellWorker("connection reset"));
      master.process.deliver(() => {
        if (this.#isMasterEndOver) return;
        this.#master = master;
        this.#witness.opened(master);
        try {
          this.#onMasterClose = master.face.openStream(worker, session, this.#sink(master));
        } catch (error) {
          this.#isMasterEndOver = true;
          this.#witness.closed(master);
          this.#tellWorker(error instanceof Error ? error.message : "refused");
        }
      });
    });
  }

  /** The worker's end. */
  close(): void {
    this.#endWorker("closed by the worker");
    this.#tellMaster();
  }

  /** From here on nothing passes and nobody is told: a box between the two has forgotten the connection. */
  goDead(): void {
    this.#isDead = true;
  }

  get isOpen(): boolean {
    return this.#master !== null && !this.#isWorkerEndOver && !this.#isMasterEndOver;
  }

  #sink(master: RunningMaster): StreamSink {
    return {
      send: (message) => {
        if (this.#isMasterEndOver) return;
        this.#witness.sent(master, message);
        if (this.#wire.network.isReset()) {
          this.#tellWorker("connection reset");
          this.#endMaster();
          return;
        }
        this.#carry(message);
        // No HTTP does that, but a worker must not depend on it (R5).
        if (this.#wire.network.isDuplicated())
          this.#wire.timeline.after(this.#wire.network.duplicateAfterMs() / 10, () => this.#carry(message));
      },
      close: () => {
        if (this.#isMasterEndOver) return;
        // What was sent before goes out first.
        this.#wire.timeline.after(1, () => this.#tellWorker("closed by the master"));
        this.#endMaster();
      },
    };
  }

  #carry(message: StreamMessage): void {
    this.#line.push(throughJson(message));
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping || this.#line.length === 0) return;
    this.#isPumping = true;
    const { network, timeline } = this.#wire;
    timeline.after(network.latency(), () => {
      let hasGone = false;
      timeline.after(giveUpMs, () => {
        if (!hasGone) this.#endMaster();
      });
      network.whenOpen(this.#callee.machine, this.#caller.machine, () => {
        hasGone = !this.#isDead;
        if (this.#isDead) return;
        this.#isPumping = false;
        const messages = this.#line.splice(0);
        for (const message of messages) {
          this.#caller.process.deliver(() => {
            if (this.#isWorkerEndOver) return;
            timeline.trace(`${this.#caller.process.name} is sent ${describeMessage(message)}`);
            this.#handlers.onMessage(message);
          });
        }
      });
    });
  }

  /** Lets the worker's end see the connection go, once the way there is open. */
  #tellWorker(reason: string): void {
    const { network, timeline } = this.#wire;
    if (this.#isDead) return;
    timeline.after(network.latency(), () =>
      network.whenOpen(this.#callee.machine, this.#caller.machine, () => this.#endWorker(reason)),
    );
  }

  #tellMaster(): void {
    if (this.#isDead) {
      // The master keeps talking to nobody until its system gives the connection up.
      this.#wire.timeline.after(giveUpMs, () => this.#endMaster());
      return;
    }
    this.#toMaster(() => this.#endMaster());
  }

  #toMaster(arrive: () => void): void {
    const { network, timeline } = this.#wire;
    timeline.after(network.latency(), () => network.whenOpen(this.#caller.machine, this.#callee.machine, arrive));
  }

  #endWorker(reason: string): void {
    if (this.#isWorkerEndOver) return;
    this.#isWorkerEndOver = true;
    this.#wire.timeline.after(0, () =>
      this.#caller.process.deliver(() => {
        this.#wire.timeline.trace(`${this.#caller.process.name} sees its stream close: ${reason}`);
        this.#handlers.onClose(reason);
      }),
    );
  }

  #endMaster(): void {
    if (this.#isMasterEndOver) return;
    this.#isMasterEndOver = true;
    const master = this.#master;
    if (master === null) return;
    this.#wire.timeline.after(0, () =>
      master.process.deliver(() => {
        this.#witness.closed(master);
        this.#onMasterClose?.();
      }),
    );
  }
}

function describeMessage(message: StreamMessage): string {
  switch (message.kind) {
    case "assign":
      return `assign ${message.assignments.map(({ task, attempt }) => `${task}/${attempt}`).join(" ")}`;
    case "abort":
      return `abort (${message.reason}) ${message.attempts.map(({ task, attempt }) => `${task}/${attempt}`).join(" ")}`;
    case "drain":
    case "beat":
      return message.kind;
    default:
      return message satisfies never;
  }
}
