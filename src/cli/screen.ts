/** A picture in the terminal that is drawn over and over: on its own screen, which leaves what was there as it was. */
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
    // However the process ends, the user gets the cursor and the screen back.
    this.#restore = () => this.#stream.write(closeScreen);
    process.on("exit", this.#restore);
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.rows);
    this.#stream.write(home + shown.map((line) => line + clearLine).join("\n") + clearBelow);
  }

  /** Gives the terminal back and leaves the last picture in it. */
  close(last: readonly string[]): void {
    if (this.#restore === null) return;
    process.off("exit", this.#restore);
    this.#restore();
    this.#restore = null;
    if (this.#onResize !== null) this.#stream.off("resize", this.#onResize);
    for (const line of last) this.#stream.write(`${line}\n`);
  }
}
