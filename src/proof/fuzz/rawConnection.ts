/** One TCP connection of the fuzzer's: sends whatever it is given, and tells what came back and how it ended. */
import { connect, type Socket } from "node:net";
import { type Answer, AnswerReader } from "./answers.ts";

export type Received =
  | { readonly kind: "answer"; readonly answer: Answer }
  /** What came is no HTTP. */
  | { readonly kind: "garbage"; readonly why: string }
  /** The other side closed; `isCut` if that was in the middle of an answer. */
  | { readonly kind: "closed"; readonly isCut: boolean }
  | { readonly kind: "silence" };

export class Wire {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #isClosed = false;
  #onChange: () => void = () => {};
  /** All text of a stream so far, as far as the last of it may still be looked for. */
  #text = "";
  #isKeepingText = false;
  receivedBytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.receivedBytes += bytes.length;
      if (this.#isKeepingText) this.#text = (this.#text + bytes.toString("utf8")).slice(-textMax);
      this.#reader.take(bytes);
      this.#onChange();
    });
    // Being reset is one of the answers there can be.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      this.#onChange();
    });
  }

  /** Resolves when connected; rejects if nobody takes the connection. */
  static open(url: URL): Promise<Wire> {
    const { promise, resolve, reject } = Promise.withResolvers<Wire>();
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    socket.once("connect", () => resolve(new Wire(socket)));
    socket.once("error", reject);
    return promise;
  }

  get isClosed(): boolean {
    return this.#isClosed || !this.#socket.writable;
  }

  /** True once the other side has closed, or reset, the connection. */
  get isGone(): boolean {
    return this.#isClosed;
  }

  /** True once the head of an event stream has come. */
  get isStreaming(): boolean {
    return this.#reader.isStreaming;
  }

  get text(): string {
    return this.#text;
  }

  keepText(): void {
    this.#isKeepingText = true;
  }

  expect(method: string): void {
    this.#reader.expect(method);
  }

  send(bytes: Buffer): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  endWriting(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** The next answer, or why there is none. */
  async receive(waitMs: number): Promise<Received> {
    const until = performance.now() + waitMs;
    for (;;) {
      const answer = this.#reader.next();
      if (answer !== null) return { kind: "answer", answer };
      if (this.#reader.garbage !== null) return { kind: "garbage", why: this.#reader.garbage };
      if (this.#isClosed) return { kind: "closed", isCut: this.#reader.isCut };
      if (!(await this.#changed(until - performance.now()))) return { kind: "silence" };
    }
  }

  /** True once the stream has brought this text; false if it closed, or did not within the time. */
  async brought(text: string, waitMs: number): Promise<boolean> {
    const until = performance.now() + waitMs;
    while (!this.#text.includes(text)) {
      if (this.#isClosed || !(await this.#changed(until - performance.now()))) return this.#text.includes(text);
    }
    return true;
  }

  #changed(waitMs: number): Promise<boolean> {
    if (waitMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), waitMs);
      this.#onChange = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

/** What is kept of a stream's text. */
const textMax = 256 * 1024;
