/** One open SSE answer: coalesces what is written, bounds what waits, and notices at once when the reader has gone. */
import type { ServerResponse } from "node:http";

/** The most that is handed to the connection at once, so that a slow reader's progress can be seen. */
const writeBytesMax = 256 * 1024;

export interface StreamBounds {
  /** What may wait for the reader before the next message cuts the stream. */
  readonly bufferBytesMax: number;
  /** How long the reader may take nothing while something waits. */
  readonly stallMsMax: number;
}

export type StreamEnd = "ended" | "gone" | "buffer-full" | "stalled";

export class EventStream {
  readonly #response: ServerResponse;
  readonly #bounds: StreamBounds;
  readonly #onStart: () => { readonly [name: string]: string };
  readonly #onClose: (end: StreamEnd) => void;
  #queue: Buffer[] = [];
  /** Bytes in the queue and in the write under way. */
  #waitingBytes = 0;
  #isWriting = false;
  #isPumpDue = false;
  #isEnding = false;
  #isClosed = false;
  #isStarted = false;
  /** When the reader last took something, or had nothing to take. */
  #progressAt = performance.now();
  #sentAt = performance.now();
  #onDrained: (() => void)[] = [];

  /** @param onStart called right before the head is sent; gives headers for it */
  constructor(
    response: ServerResponse,
    bounds: StreamBounds,
    onStart: () => { readonly [name: string]: string },
    onClose: (end: StreamEnd) => void,
  ) {
    this.#response = response;
    this.#bounds = bounds;
    this.#onStart = onStart;
    this.#onClose = onClose;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** True once the head is sent: from then on nothing but events can be told. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** True while more waits than one write takes: whoever can wait should, for `drained()`. */
  get isBusy(): boolean {
    return this.#waitingBytes > writeBytesMax;
  }

  /** Sends the head, unless that has been done. The first message does so too. */
  start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    const headers = this.#onStart();
    const { socket } = this.#response;
    // A connection that has already gone has no socket any more.
    if (socket === null || socket.destroyed) return this.#close("gone");
    socket.setNoDelay(true);
    // A reader that sends FIN is gone, even if the connection still stands half open.
    socket.once("end", () => this.#close("gone"));
    this.#response.once("close", () => this.#close("gone"));
    this.#response.once("error", () => this.#close("gone"));
    this.#response.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream; charset=utf-8",
      // Tells nginx and its like not to hold events back.
      "x-accel-buffering": "no",
      connection: "close",
    });
    this.#response.flushHeaders();
  }

  /** Queues whole SSE messages. Cuts the stream instead if too much waits already. */
  send(message: string | Buffer): void {
    if (this.#isClosed || this.#isEnding) return;
    if (this.#waitingBytes > this.#bounds.bufferBytesMax) return this.#close("buffer-full");
    const bytes = typeof message === "string" ? Buffer.from(message) : message;
    if (this.#waitingBytes === 0) this.#progressAt = performance.now();
    this.#queue.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#schedule();
  }

  /** Ends the stream once all is written that was sent. */
  end(): void {
    if (this.#isClosed) return;
    this.#isEnding = true;
    this.#schedule();
  }

  /** Cuts the stream if its reader has stalled, and pings it if it has long been quiet. To be called now and then. */
  check(pingMs: number | null): void {
    const now = performance.now();
    if (this.#waitingBytes > 0 && now - this.#progressAt > this.#bounds.stallMsMax) return this.#close("stalled");
    if (pingMs !== null && this.#waitingBytes === 0 && now - this.#sentAt >= pingMs) this.send(":\n\n");
  }

  /** Resolves when nothing waits any more, or the stream is closed. */
  async drained(): Promise<void> {
    if (this.#isClosed || this.#waitingBytes === 0) return;
    await new Promise<void>((resolve) => this.#onDrained.push(resolve));
  }

  /** Drops the connection whatever still waits. */
  destroy(): void {
    this.#close("ended");
  }

  /** What is sent in one go leaves in one write. */
  #schedule(): void {
    if (this.#isPumpDue || this.#isWriting) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    this.start();
    if (this.#isClosed || this.#isWriting) return;
    const chunk = this.#take();
    if (chunk === null) {
      if (this.#isEnding) this.#response.end(() => this.#close("ended"));
      return;
    }
    this.#isWriting = true;
    this.#sentAt = performance.now();
    this.#response.write(chunk, () => {
      this.#isWriting = false;
      this.#waitingBytes -= chunk.length;
      this.#progressAt = performance.now();
      if (this.#waitingBytes === 0) this.#tellDrained();
      this.#pump();
    });
  }

  #take(): Buffer | null {
    const taken: Buffer[] = [];
    let bytes = 0;
    let count = 0;
    for (const piece of this.#queue) {
      if (bytes + piece.length > writeBytesMax) break;
      taken.push(piece);
      bytes += piece.length;
      count++;
    }
    const [first] = this.#queue;
    if (count === 0 && first !== undefined) {
      this.#queue[0] = first.subarray(writeBytesMax);
      return first.subarray(0, writeBytesMax);
    }
    this.#queue.splice(0, count);
    if (taken.length === 0) return null;
    return taken.length === 1 ? (taken[0] ?? null) : Buffer.concat(taken, bytes);
  }

  #close(end: StreamEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#response.destroy();
    this.#tellDrained();
    this.#onClose(end);
  }

  #tellDrained(): void {
    const waiting = this.#onDrained;
    this.#onDrained = [];
    for (const resolve of waiting) resolve();
  }
}
