/** The lines of a log that is followed: they grow at the end, over all attempts, and the oldest go when there are too many. */
import { AnsiReader, type Piece } from "./ansi.ts";

/** So many are kept; the whole log can be downloaded. */
export const linesMax = 50_000;
/** What is longer is broken. */
const lineCharactersMax = 4_000;

export type LogLine =
  | { readonly kind: "text"; readonly number: number; readonly text: string; readonly pieces: readonly Piece[] }
  /** A new attempt begins here. */
  | { readonly kind: "attempt"; readonly attempt: number }
  | { readonly kind: "note"; readonly text: string };

export class LogLines {
  readonly #lines: LogLine[] = [];
  #reader = new AnsiReader();
  #decoder = new TextDecoder();
  /** The beginning of a line whose end has not come yet. */
  #open = "";
  #isOpenShown = false;
  #number = 0;
  dropped = 0;

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  startAttempt(attempt: number): void {
    this.#flush();
    this.#reader = new AnsiReader();
    this.#decoder = new TextDecoder();
    this.#number = 0;
    this.#lines.push({ kind: "attempt", attempt });
  }

  note(text: string): void {
    this.#flush();
    this.#lines.push({ kind: "note", text });
  }

  add(bytes: Uint8Array | string): void {
    const text = typeof bytes === "string" ? bytes : this.#decoder.decode(bytes, { stream: true });
    const parts = (this.#open + text).split("\n");
    if (this.#isOpenShown) this.#lines.pop();
    this.#isOpenShown = false;
    this.#open = parts.pop() ?? "";
    for (const part of parts) this.#push(part);
    while (this.#open.length > lineCharactersMax) {
      this.#push(this.#open.slice(0, lineCharactersMax));
      this.#open = this.#open.slice(lineCharactersMax);
    }
    this.#showOpen();
    const tooMany = this.#lines.length - linesMax;
    if (tooMany > 0) {
      this.#lines.splice(0, tooMany);
      this.dropped += tooMany;
    }
  }

  /** A prompt has no line break; it is shown all the same, and again when more of it has come. */
  #showOpen(): void {
    if (this.#open === "") return;
    this.#lines.push({
      kind: "text",
      number: this.#number + 1,
      text: plain([{ text: this.#open }]),
      pieces: new AnsiReader().read(this.#open),
    });
    this.#isOpenShown = true;
  }

  #push(line: string): void {
    this.#number += 1;
    // What stands before a carriage return was overwritten.
    const visible = line.replace(/\r+$/, "");
    const pieces = this.#reader.read(visible.slice(visible.lastIndexOf("\r") + 1));
    this.#lines.push({ kind: "text", number: this.#number, text: plain(pieces), pieces });
  }

  #flush(): void {
    const rest = this.#open;
    if (this.#isOpenShown) this.#lines.pop();
    this.#isOpenShown = false;
    this.#open = "";
    if (rest !== "") this.#push(rest);
  }
}

function plain(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join("");
}
