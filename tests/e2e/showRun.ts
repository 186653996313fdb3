/** Runs `outlast demo` or another show as a process, with a folder of its own for what it leaves. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/outlast.js", import.meta.url));

export class ShowRun implements Disposable {
  readonly #place = mkdtempSync(join(tmpdir(), "outlast-run-"));
  /** What the run is given as `--dir`. */
  readonly directory = join(this.#place, "run");

  start(...given: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; text: string }> } {
    const child = spawn(process.execPath, [program, ...given, "--dir", this.directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    const ended = new Promise<{ code: number | null; text: string }>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, text }));
    });
    return { child, ended };
  }

  [Symbol.dispose](): void {
    rmSync(this.#place, { recursive: true });
  }
}
