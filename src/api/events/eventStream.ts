/** One open event stream: joins small writes, limits the buffer, and notices at once when the reader is gone. */
import type { ServerResponse } from "node:http";

/** The largest single write, so that the progress of a slow reader is visible. */
const writeBytesMax = 256 * 1024;

export interface StreamBounds {
  /** How much may wait for the reader; beyond that the next message closes the stream. */
  readonly bufferBytesMax: number;
  /** How long the reader may read nothing while something waits. */
  readonly stallMsMax: number;
}

export type StreamEnd = "ended" | "gone" | "buffer-full" | "stalled";

export class EventStream {
  /** What to send on a quiet stream. */
  pingText: () => string = () => ":\n\n";
  readonly #response: ServerResponse;
  readonly #bounds: StreamBounds;
  readonly #onStart: () => { readonly [name: string]: string };
  readonly #onClose: (end: StreamEnd) => void;
  #queue: Buffer[] = [];
  /** Bytes in the queue and in the current write. */
  #waitingBytes = 0;
  #isWriting = false;
  #isPumpDue = false;
  #isEnding = false;
  #isClosed = false;
  #isStarted = false;
  /** When the reader last read something, or nothing waited for it. */
  #progressAt = performance.now();
  #sentAt = performance.now();
  #onDrained: (() => void)[] = [];

  /** @param onStart called right before the headers are sent; returns headers to add */
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

  /** True when the headers are sent: from then on only events can be sent. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** True while more waits than fits into one write: senders that can wait should wait for `drained()`. */
  get isBusy(): boolean {
    return this.#waitingBytes > writeBytesMax;
  }

  /** Sends the headers, unless they are sent. The first message does so too. */
  start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    const headers = this.#onStart();
    const { socket } = this.#response;
    // A closed connection has no socket.
    if (socket === null || socket.destroyed) return this.#close("gone");
    socket.setNoDelay(true);
    // A reader that sends FIN is gone, even if the connection is still half open.
    socket.once("end", () => this.#close("gone"));
    this.#response.once("close", () => this.#close("gone"));
    this.#response.once("error", () => this.#close("gone"));
    this.#response.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream; charset=utf-8",
      // Tells nginx and similar proxies not to buffer events.
      "x-accel-buffering": "no",
      connection: "close",
    });
    this.#response.flushHeaders();
  }

  /** Queues whole SSE messages. Closes the stream instead if too much waits already. */
  send(message: string | Buffer): void {
    if (this.#isClosed || this.#isEnding) return;
    if (this.#waitingBytes > this.#bounds.bufferBytesMax) return this.#close("buffer-full");
    const bytes = typeof message === "string" ? Buffer.from(message) : message;
    if (this.#waitingBytes === 0) this.#progressAt = performance.now();
    this.#queue.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#schedule();
  }

  /** Ends the stream when everything is written. */
  end(): void {
    if (this.#isClosed) return;
    this.#isEnding = true;
    this.#schedule();
  }

  /** Closes the stream if its reader has stalled, and pings it if it has been quiet. Must be called regularly. */
  check(pingMs: number | null): void {
    const now = performance.now();
    if (this.#waitingBytes > 0 && now - this.#progressAt > this.#bounds.stallMsMax) return this.#close("stalled");
    if (pingMs !== null && this.#waitingBytes === 0 && now - this.#sentAt >= pingMs) this.send(this.pingText());
  }

  /** Resolves when nothing waits, or the stream is closed. */
  async drained(): Promise<void> {
    if (this.#isClosed || this.#waitingBytes === 0) return;
    await new Promise<void>((resolve) => this.#onDrained.push(resolve));
  }

  /** Closes the connection without sending what waits. */
  destroy(): void {
    this.#close("ended");
  }

  /** Joins everything that is sent in one turn into one write. */
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
