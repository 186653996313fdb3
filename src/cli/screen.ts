/** Draws a full-screen view again and again, on the terminal's alternate screen, which preserves what was shown before. */
import type { WriteStream } from "node:tty";

const openScreen = "\u001b[?1049h\u001b[?25l";
const closeScreen = "\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";

export class Screen {
  readonly #stream: WriteStream;
  #onResize: (() => void) | null = null;
  #restore: (() => void) | null = null;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  get rows(): number {
    return this.#stream.rows;
  }

  /** @param onResize called when the terminal has another size: draw again */
  open(onResize: () => void): void {
    this.#stream.write(openScreen);
    this.#onResize = onResize;
    this.#stream.on("resize", onResize);
    // Restores the cursor and the screen, however the process ends.
    this.#restore = () => this.#stream.write(closeScreen);
    process.on("exit", this.#restore);
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.rows);
    this.#stream.write(home + shown.map((line) => line + clearLine).join("\n") + clearBelow);
  }

  /** Restores the terminal and prints the last view. */
  close(last: readonly string[]): void {
    if (this.#restore === null) return;
    process.off("exit", this.#restore);
    this.#restore();
    this.#restore = null;
    if (this.#onResize !== null) this.#stream.off("resize", this.#onResize);
    for (const line of last) this.#stream.write(`${line}\n`);
  }
}
