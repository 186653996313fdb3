/** Where commands write: results to stdout, as tables or as JSON; everything else to stderr. */
import { type Paint, painted, paintFor } from "./colour.ts";
import { type Column, tableLines } from "./table.ts";
import { printable } from "./terminalText.ts";

export class Output {
  readonly isJson: boolean;
  /** True if stdout is a terminal. */
  readonly isTerminal: boolean;
  readonly paint: Paint;
  readonly paintNotes: Paint;

  constructor(options: { readonly json: boolean; readonly color: boolean }) {
    this.isJson = options.json;
    this.isTerminal = process.stdout.isTTY === true;
    this.paint = paintFor(process.stdout, options.color && !options.json, process.env);
    this.paintNotes = paintFor(process.stderr, options.color, process.env);
  }

  get areNotesPainted(): boolean {
    return this.paintNotes === painted;
  }

  get columnsMax(): number | null {
    return this.isTerminal ? process.stdout.columns : null;
  }

  line(text = ""): void {
    process.stdout.write(`${text}\n`);
  }

  /** One document: indented for a person, one line otherwise. */
  document(value: unknown): void {
    this.line(this.isTerminal ? JSON.stringify(value, null, 2) : JSON.stringify(value));
  }

  /** One of many documents: always one line. */
  jsonLine(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], hasTitles = true): void {
    const [titles = "", ...lines] = tableLines(columns, rows, this.paint, this.columnsMax);
    for (const line of hasTitles ? [titles, ...lines] : lines) this.line(line);
  }

  /** Reports a failure while the command continues. @param hint what to do about it, on lines of its own */
  complain(text: string, hint: string | null = null): void {
    const lines = [text, ...(hint?.split("\n") ?? [])].map(printable);
    process.stderr.write(`outlast: ${lines.join("\n         ")}\n`);
  }

  /** Prints a message that is not part of the result. */
  note(text: string): void {
    if (!this.isJson) process.stderr.write(`${this.paintNotes("dim", text)}\n`);
  }
}

let isServer = false;

/**
 * What happens when the reader of stdout or stderr is gone. A command ends without an error (`outlast ls | head`). A
 * server goes on, because its work does not depend on who reads its output.
 */
export function handleLostReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (isServer) return;
      if (error.code === "EPIPE") process.exit();
      throw error;
    });
  }
}

/** From now on this process goes on when its output cannot be written. */
export function outliveReaders(): void {
  isServer = true;
}
