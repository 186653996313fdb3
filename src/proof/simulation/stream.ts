/** One simulated stream from a master down to whoever listens: ordered, cut, reset, or dead without either end knowing. */
import type { Stream } from "../../ports/transport.ts";
import { type Callee, type Caller, type RunningMaster, throughJson, type Wire } from "./call.ts";

/** The listener's end. */
export interface Listener<Message> {
  onMessage(message: Message): void;
  onClose(reason: string): void;
}

/** The master's end, in the hands of whoever speaks there. */
export interface Sink<Message> {
  send(message: Message): void;
  close(): void;
}

/** What goes on at the master's end, inside the master's process. */
export interface Speaker<Message> {
  /** Returns what is to be called when the connection has closed. */
  open(master: RunningMaster, sink: Sink<Message>): () => void;
  opened(master: RunningMaster): void;
  sent(master: RunningMaster, message: Message): void;
  /** @param isByMaster the master has ended it itself */
  closed(master: RunningMaster, isByMaster: boolean): void;
  describe(message: Message): string;
  /** True if a message may come twice at times, as it may to a worker that attaches again. */
  readonly mayRepeat: boolean;
}

/** A stream whose bytes find no way for this long is given up by the master's side. */
const giveUpMs = 30_000;

export class SimulatedStream<Message> implements Stream {
  readonly #wire: Wire;
  readonly #caller: Caller;
  readonly #callee: Callee;
  readonly #listener: Listener<Message>;
  readonly #speaker: Speaker<Message>;
  #master: RunningMaster | null = null;
  #onMasterClose: (() => void) | null = null;
  #isListenerEndOver = false;
  #isMasterEndOver = false;
  #isDead = false;
  /** Messages under way, in order; each leaves the line when it has arrived. */
  readonly #line: Message[] = [];
  #isPumping = false;

  constructor(wire: Wire, caller: Caller, callee: Callee, listener: Listener<Message>, speaker: Speaker<Message>) {
    this.#wire = wire;
    this.#caller = caller;
    this.#callee = callee;
    this.#listener = listener;
    this.#speaker = speaker;
    caller.process.onDeath(() => this.#tellMaster());
  }

  connect(): void {
    this.#toMaster(() => {
      const master = this.#callee.running;
      if (master === null) return this.#tellListener("connection refused");
      master.process.onDeath(() => this.#tellListener("connection reset"));
      master.process.deliver(() => {
        if (this.#isMasterEndOver) return;
        this.#master = master;
        master.process.openStreams += 1;
        this.#speaker.opened(master);
        this.#onMasterClose = this.#speaker.open(master, this.#sink(master));
      });
    });
  }

  /** Closes the listener's end. */
  close(): void {
    this.#endListener("closed by the listener");
    this.#tellMaster();
  }

  /** From here on nothing passes and nobody is told: a box between the two has forgotten the connection. */
  goDead(): void {
    this.#isDead = true;
  }

  /** Something between the two ends the connection, and both ends see it. */
  reset(): void {
    if (this.#isDead) return;
    this.#tellListener("connection reset");
    this.#endMaster();
  }

  get isOpen(): boolean {
    return this.#master !== null && !this.#isListenerEndOver && !this.#isMasterEndOver;
  }

  #sink(master: RunningMaster): Sink<Message> {
    return {
      send: (message) => {
        if (this.#isMasterEndOver) return;
        this.#speaker.sent(master, message);
        if (this.#wire.network.isReset()) {
          this.#tellListener("connection reset");
          this.#endMaster();
          return;
        }
        this.#carry(message);
        // No HTTP does that, but a worker must not depend on it (R5).
        if (this.#speaker.mayRepeat && this.#wire.network.isDuplicated())
          this.#wire.network.repeat(0.1, () => this.#carry(message));
      },
      close: () => {
        if (this.#isMasterEndOver) return;
        // What was sent before goes out first.
        this.#wire.timeline.after(1, () => this.#tellListener("closed by the master"));
        this.#endMaster(true);
      },
    };
  }

  #carry(message: Message): void {
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
            if (this.#isListenerEndOver) return;
            timeline.trace(`${this.#caller.process.name} is sent ${this.#speaker.describe(message)}`);
            this.#listener.onMessage(message);
          });
        }
      });
    });
  }

  /** Lets the listener's end see the connection go, once the way there is open. */
  #tellListener(reason: string): void {
    const { network, timeline } = this.#wire;
    if (this.#isDead) return;
    timeline.after(network.latency(), () =>
      network.whenOpen(this.#callee.machine, this.#caller.machine, () => this.#endListener(reason)),
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

  #endListener(reason: string): void {
    if (this.#isListenerEndOver) return;
    this.#isListenerEndOver = true;
    this.#wire.timeline.after(0, () =>
      this.#caller.process.deliver(() => {
        this.#wire.timeline.trace(`${this.#caller.process.name} sees its stream close: ${reason}`);
        this.#listener.onClose(reason);
      }),
    );
  }

  #endMaster(isByMaster = false): void {
    if (this.#isMasterEndOver) return;
    this.#isMasterEndOver = true;
    const master = this.#master;
    if (master === null) return;
    this.#wire.timeline.after(0, () =>
      master.process.deliver(() => {
        master.process.openStreams -= 1;
        this.#speaker.closed(master, isByMaster);
        this.#onMasterClose?.();
      }),
    );
  }
}
