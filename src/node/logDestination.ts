/** Where the lines of a log go. Writing never blocks this process and never fails: what cannot be written in time is lost. */
import { fstatSync, write, writeSync } from "node:fs";
import { isatty } from "node:tty";

export interface LogDestination {
  write(line: string): void;
  /** Writes what waits, as far as that is possible at once. To be called when the process exits. */
  flush(): void;
}

/** @param bytesMax what may wait to be written; later lines are lost */
export function openLogDestination(descriptor: number, bytesMax: number): LogDestination {
  if (descriptor === 2 && isStream(descriptor)) return new StreamDestination(process.stderr, bytesMax);
  return new FileDestination(descriptor, bytesMax);
}

/** True for a pipe or socket. Node writes to those without blocking. */
function isStream(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

class StreamDestination implements LogDestination {
  readonly #stream: NodeJS.WriteStream;
  readonly #bytesMax: number;

  constructor(stream: NodeJS.WriteStream, bytesMax: number) {
    this.#stream = stream;
    this.#bytesMax = bytesMax;
    // The reader has gone. The process goes on without a log.
    stream.on("error", () => undefined);
  }

  write(line: string): void {
    if (!this.#stream.writable || this.#stream.writableLength > this.#bytesMax) return;
    this.#stream.write(line);
  }

  /** Lines were written at once, unless the reader is too slow; then waiting for it would block the exit. */
  flush(): void {}
}

/** For files, devices and terminals: one write at a time, by the thread pool. */
class FileDestination implements LogDestination {
  readonly #descriptor: number;
  readonly #bytesMax: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;

  constructor(descriptor: number, bytesMax: number) {
    this.#descriptor = descriptor;
    this.#bytesMax = bytesMax;
  }

  write(line: string): void {
    if (this.#waitingBytes > this.#bytesMax) return;
    const bytes = Buffer.from(line);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isWriting) this.#writeNext();
  }

  flush(): void {
    // A terminal that is stopped would block this write as well.
    if (this.#isWriting && isatty(this.#descriptor)) return;
    let bytes = this.#take();
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#descriptor, bytes));
    } catch {
      // A full disk or a closed file: these lines are lost.
    }
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #writeNext(): void {
    const bytes = this.#take();
    if (bytes.length === 0) return;
    this.#isWriting = true;
    this.#writeAll(bytes);
  }

  #writeAll(bytes: Buffer): void {
    write(this.#descriptor, bytes, (error, count) => {
      // A full disk or a closed file: these lines are lost, later ones are tried again.
      const rest = error === null ? bytes.subarray(count) : Buffer.alloc(0);
      if (rest.length > 0 && count > 0) return this.#writeAll(rest);
      this.#isWriting = false;
      this.#writeNext();
    });
  }
}
