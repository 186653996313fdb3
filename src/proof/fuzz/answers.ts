/** Reads HTTP/1.1 answers off a connection, and is strict about them: what comes back must be HTTP whatever was sent. */

export interface Answer {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Only the head of a stream that goes on. */
  readonly isStream: boolean;
}

const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");

export class AnswerReader {
  #waiting: Buffer = Buffer.alloc(0);
  /** What has come since. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** With less than this nothing more can be read. */
  #neededBytes = 0;
  readonly #answers: Answer[] = [];
  /** Methods of the requests whose answers are awaited, in order: an answer to HEAD has no body. */
  readonly #methods: string[] = [];
  #isStreaming = false;
  #garbage: string | null = null;

  /** Why what came is no HTTP; null if it is. */
  get garbage(): string | null {
    return this.#garbage;
  }

  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  expect(method: string): void {
    this.#methods.push(method);
  }

  take(bytes: Buffer): void {
    if (this.#isStreaming || this.#garbage !== null) return;
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
    // A large answer comes in many pieces: they are joined only once they can make a difference.
    if (this.#waiting.length + this.#pieceBytes < this.#neededBytes) return;
    this.#waiting = Buffer.concat([this.#waiting, ...this.#pieces]);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#neededBytes = 0;
    while (this.#readOne());
  }

  /** The next whole answer. */
  next(): Answer | null {
    return this.#answers.shift() ?? null;
  }

  /** True if part of an answer came, and then no more. */
  get isCut(): boolean {
    return this.#waiting.length + this.#pieceBytes > 0 && !this.#isStreaming && this.#garbage === null;
  }

  #readOne(): boolean {
    const end = this.#waiting.indexOf(headEnd);
    if (end < 0) return false;
    const head = this.#waiting.subarray(0, end).toString("latin1");
    const [first = "", ...lines] = head.split("\r\n");
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) /.exec(first)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) return this.#fail(`no status line: ${first.slice(0, 80)}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
      if (name === undefined || value === undefined) return this.#fail(`no header: ${line.slice(0, 80)}`);
      const key = name.toLowerCase();
      headers.set(key, headers.has(key) ? `${headers.get(key)}, ${value}` : value);
    }
    const bodyAt = end + headEnd.length;
    if (status < 200) return this.#cut(bodyAt);
    if (headers.get("content-type")?.startsWith("text/event-stream") === true && this.#methods[0] !== "HEAD") {
      this.#isStreaming = true;
      return this.#emit({ status, headers, body: Buffer.alloc(0), isStream: true }, this.#waiting.length);
    }
    const body = this.#bodyOf(status, headers, bodyAt);
    if (body === null || this.#garbage !== null) return false;
    return this.#emit({ status, headers, body: body.bytes, isStream: false }, body.end);
  }

  #bodyOf(
    status: number,
    headers: ReadonlyMap<string, string>,
    from: number,
  ): { readonly bytes: Buffer; readonly end: number } | null {
    if (status === 204 || status === 304 || this.#methods[0] === "HEAD") return { bytes: Buffer.alloc(0), end: from };
    if (headers.get("transfer-encoding") === "chunked") return this.#chunks(from);
    const length = Number(headers.get("content-length") ?? Number.NaN);
    if (!Number.isSafeInteger(length) || length < 0) {
      this.#fail(`a body of unknown length: ${headers.get("content-length")}`);
      return null;
    }
    if (this.#waiting.length < from + length) {
      this.#neededBytes = from + length;
      return null;
    }
    return { bytes: this.#waiting.subarray(from, from + length), end: from + length };
  }

  #chunks(from: number): { readonly bytes: Buffer; readonly end: number } | null {
    const pieces: Buffer[] = [];
    let at = from;
    for (;;) {
      const end = this.#waiting.indexOf(lineEnd, at);
      if (end < 0) return null;
      const sizeText = this.#waiting.subarray(at, end).toString("latin1");
      const size = /^[0-9a-f]+$/i.test(sizeText) ? Number.parseInt(sizeText, 16) : Number.NaN;
      if (Number.isNaN(size)) {
        this.#fail(`no chunk size: ${sizeText.slice(0, 80)}`);
        return null;
      }
      const next = end + lineEnd.length + size + lineEnd.length;
      if (this.#waiting.length < next) return null;
      if (size === 0) return { bytes: Buffer.concat(pieces), end: next };
      pieces.push(this.#waiting.subarray(end + lineEnd.length, next - lineEnd.length));
      at = next;
    }
  }

  #emit(answer: Answer, end: number): boolean {
    this.#methods.shift();
    this.#answers.push(answer);
    return this.#cut(end);
  }

  #cut(end: number): boolean {
    this.#waiting = this.#waiting.subarray(end);
    return this.#waiting.length > 0 && !this.#isStreaming;
  }

  #fail(why: string): false {
    this.#garbage = why;
    return false;
  }
}
