/** Where a run is watched: a block that is redrawn on a terminal, plain lines anywhere else, nothing for `--json`. */
import { stripVTControlCharacters } from "node:util";
import type { Paint } from "../../cli/colour.ts";
import { cut, widthOf } from "../../cli/terminalText.ts";
import { clockText, type View, viewLine, viewLines } from "./view.ts";

const redrawMs = 100;
const plainLineMs = 2000;
const columnsDefault = 100;

export interface ScreenOptions {
  readonly stream: NodeJS.WriteStream;
  readonly paint: Paint;
  readonly isQuiet: boolean;
  readonly startedAt: number;
  readonly look: () => View;
}

export class Screen {
  readonly #options: ScreenOptions;
  readonly #isTerminal: boolean;
  #timer: NodeJS.Timeout | null = null;
  /** Until something has happened, a plain line has nothing to say. */
  #hasReported = false;
  /** Lines of the block that stand on the terminal now. */
  #height = 0;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#isTerminal = options.stream.isTTY === true && process.env["TERM"] !== "dumb";
  }

  open(): void {
    if (this.#options.isQuiet) return;
    this.#timer = setInterval(() => this.#refresh(), this.#isTerminal ? redrawMs : plainLineMs);
    this.#timer.unref();
  }

  /** A line that stays. */
  tell(text: string, at: number): void {
    if (this.#options.isQuiet) return;
    this.#hasReported = true;
    this.#write([`${this.#options.paint("dim", clockText(at - this.#options.startedAt))}  ${text}`]);
  }

  /** Takes the block away; what is told from now on stays below all else. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#height > 0) this.#options.stream.write(this.#eraseBlock());
  }

  #refresh(): void {
    if (this.#isTerminal) this.#write([]);
    else if (this.#hasReported) this.#options.stream.write(`${viewLine(this.#options.look())}\n`);
  }

  /** Lines that stay, and the block again below them. */
  #write(lines: readonly string[]): void {
    const { stream, paint, look } = this.#options;
    const kept = lines.map((line) => `${line}\n`).join("");
    if (!this.#isTerminal || this.#timer === null) {
      stream.write(this.#eraseBlock() + kept);
      return;
    }
    const columns = stream.columns ?? columnsDefault;
    // A line that wraps would make the block taller than it is counted.
    const block = viewLines(look(), paint, columns - 1).map((line) => fit(line, columns - 1));
    stream.write(`${this.#eraseBlock()}${kept}${block.join("\n")}\n`);
    this.#height = block.length;
  }

  #eraseBlock(): string {
    const erase = this.#height > 0 ? `\x1b[${this.#height}A\x1b[0J` : "";
    this.#height = 0;
    return erase;
  }
}

function fit(line: string, columnsMax: number): string {
  return widthOf(line) <= columnsMax ? line : cut(stripVTControlCharacters(line), columnsMax);
}
