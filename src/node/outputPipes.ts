/** Joins stdout and stderr of a process into one sequence of bytes, without splitting characters, at the reader's speed. */
import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ProcessHandlers } from "../ports/processes.ts";

export class OutputPipes {
  readonly #pipes: readonly Readable[];
  readonly #handlers: Pick<ProcessHandlers, "onOutput" | "onOutputEnd">;
  /** For each pipe: an incomplete character at the end of the last data. */
  readonly #begun = new Map<Readable, Buffer>();
  #openCount: number;
  #pendingCount = 0;
  #isClosed = false;
  #onResume: (() => void)[] = [];

  constructor(pipes: readonly Readable[], handlers: Pick<ProcessHandlers, "onOutput" | "onOutputEnd">) {
    this.#pipes = pipes;
    this.#handlers = handlers;
    this.#openCount = pipes.length;
    for (const pipe of pipes) {
      pipe.on("data", (bytes: Buffer) => this.#onData(pipe, bytes));
      // A failed pipe brings no more data.
      pipe.on("error", () => undefined);
      pipe.once("close", () => this.#onClose(pipe));
    }
  }

  /**
   * Resolves when all that the process had written before this call has been handed on. What stands in a pipe then is read in the
   * next turn of the event loop, which reads more than a pipe holds; the turn under way may have looked at the pipe already.
   */
  async drained(): Promise<void> {
    for (let turns = 0; turns < 2 && this.#openCount > 0 && !this.#isClosed; turns += 1) {
      await nextTurn();
      // While the reader holds the process up, nothing is read.
      while (this.#pendingCount > 0) await new Promise<void>((resolve) => this.#onResume.push(resolve));
    }
  }

  /** Stops reading; the handlers get nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const pipe of this.#pipes) pipe.destroy();
  }

  #onData(pipe: Readable, bytes: Buffer): void {
    if (this.#isClosed) return;
    const begun = this.#begun.get(pipe);
    const all = begun === undefined ? bytes : Buffer.concat([begun, bytes]);
    const whole = wholeCharacters(all);
    if (whole < all.length) this.#begun.set(pipe, all.subarray(whole));
    else this.#begun.delete(pipe);
    if (whole > 0) this.#handOn(all.subarray(0, whole));
  }

  #onClose(pipe: Readable): void {
    const begun = this.#begun.get(pipe);
    if (begun !== undefined && !this.#isClosed) this.#handOn(begun);
    this.#openCount -= 1;
    this.#endIfDone();
  }

  #handOn(bytes: Buffer): void {
    const taken = this.#handlers.onOutput(bytes);
    if (taken === undefined) return;
    this.#pendingCount += 1;
    for (const each of this.#pipes) each.pause();
    // If the reader fails, these bytes are lost, and the command continues.
    const goOn = () => {
      this.#pendingCount -= 1;
      if (this.#pendingCount > 0) return;
      for (const each of this.#pipes) each.resume();
      for (const resume of this.#onResume.splice(0)) resume();
      this.#endIfDone();
    };
    taken.then(goOn, goOn);
  }

  #endIfDone(): void {
    if (this.#openCount === 0 && this.#pendingCount === 0 && !this.#isClosed) {
      this.#isClosed = true;
      this.#handlers.onOutputEnd();
    }
  }
}

/** The number of bytes before an incomplete UTF-8 character at the end; all of them if there is none, or it is not UTF-8. */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
