/** Sends what attempts print to the master, live and in order: one request at a time, again until it is stored. */
import type { SessionId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { LinkError, type MasterLink } from "../../ports/transport.ts";
import type { LogSpool } from "../../ports/work.ts";

export interface LogSenderOptions {
  readonly worker: WorkerId;
  readonly spool: LogSpool;
  readonly clock: Clock;
  readonly log: Log;
  readonly waits: { readonly logSendMs: number; readonly retryBaseMs: number; readonly retryMaxMs: number };
  /** Told when output begins to wait and when none is left. */
  readonly onPending: (isPending: boolean) => void;
}

/** No master will ever take these pieces. Logs are worth one warning, not a queue that stands still for ever. */
const finalRefusals: readonly string[] = ["invalid", "bad-request", "bad-json", "too-large", "not-found", "conflict"];

export class LogSender {
  readonly #options: LogSenderOptions;
  #session: { readonly link: MasterLink; readonly id: SessionId } | null = null;
  /** Counts the sessions: what an earlier one was asked to send is asked of the present one again. */
  #generation = 0;
  #isSending = false;
  /** Output has come since the spool was asked last. */
  #hasMore = false;
  #isClosed = false;
  #isPending = false;
  /** Something runs that may print at any moment. */
  #isWatching = false;
  #failures = 0;
  /** Several pieces together were refused: they are sent one by one until the one is found that is to blame. */
  #isSeeking = false;
  #timer: Timer | null = null;

  constructor(options: LogSenderOptions) {
    this.#options = options;
  }

  /** There is a session to send in; what an earlier one did not get through is sent again. */
  attach(link: MasterLink, id: SessionId): void {
    this.#session = { link, id };
    this.#generation += 1;
    this.#isSending = false;
    this.#failures = 0;
    this.flush();
  }

  detach(): void {
    this.#session = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** For good: the spool is not touched any more. */
  close(): void {
    this.detach();
    this.#isClosed = true;
  }

  /** Looks for output every `logSendMs` from now on. */
  watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#sendIn(this.#options.waits.logSendMs);
  }

  unwatch(): void {
    this.#isWatching = false;
  }

  /** There may be output that should not wait for the next look. */
  flush(): void {
    this.#setPending(true);
    this.#hasMore = this.#isSending;
    if (this.#failures > 0) return;
    this.#send();
  }

  #send(): void {
    const session = this.#session;
    if (session === null || this.#isSending) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#isSending = true;
    const generation = this.#generation;
    const taken = this.#options.spool.take(limits.logPostBytesMax);
    if (!(taken instanceof Promise)) return this.#sendTaken(taken, generation);
    void taken.then((chunks) => this.#sendTaken(chunks, generation));
  }

  #sendTaken(chunks: readonly LogChunk[], generation: number): void {
    const session = this.#session;
    // Another session asks for the same pieces by itself.
    if (generation !== this.#generation || this.#isClosed) return;
    if (session === null || chunks.length === 0) {
      this.#isSending = false;
      if (chunks.length === 0) {
        this.#isSeeking = false;
        this.#setPending(this.#hasMore);
      }
      const hadMore = this.#hasMore;
      this.#hasMore = false;
      if (hadMore) return this.#send();
      if (this.#isWatching) this.#sendIn(this.#options.waits.logSendMs);
      return;
    }
    this.#setPending(true);
    const pieces = this.#isSeeking ? chunks.slice(0, 1) : chunks;
    session.link.sendLogs(this.#options.worker, session.id, pieces).then(
      () => this.#stored(pieces, generation),
      (error: unknown) => {
        if (generation === this.#generation && !this.#isClosed) this.#failed(pieces, error);
      },
    );
  }

  #stored(chunks: readonly LogChunk[], generation: number): void {
    if (this.#isClosed) return;
    this.#options.spool.stored(chunks);
    if (generation !== this.#generation) return;
    this.#isSending = false;
    this.#failures = 0;
    this.#send();
  }

  #failed(chunks: readonly LogChunk[], error: unknown): void {
    this.#isSending = false;
    const { log, spool, waits, worker } = this.#options;
    if (error instanceof LinkError && finalRefusals.includes(error.code)) {
      this.#isSeeking = chunks.length > 1;
      if (this.#isSeeking) return this.#send();
      log.warn("a master refused output of attempts; it is dropped", { worker, error });
      spool.stored(chunks);
      return this.#send();
    }
    this.#failures += 1;
    if (this.#failures === 1) log.debug("output could not be sent; trying again", { worker, error });
    this.#sendIn(Math.min(waits.retryMaxMs, waits.retryBaseMs * 2 ** Math.min(this.#failures - 1, 30)));
  }

  #sendIn(ms: number): void {
    if (this.#session === null || this.#timer !== null) return;
    const { clock } = this.#options;
    this.#timer = clock.at(clock.now() + ms, () => {
      this.#timer = null;
      this.#send();
    });
  }

  #setPending(isPending: boolean): void {
    if (this.#isPending === isPending) return;
    this.#isPending = isPending;
    this.#options.onPending(isPending);
  }
}
