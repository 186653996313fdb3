/** Finds a Python that the wheels fit which tests and benchmarks install in the cache. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

const pythons = ["python3", "python3.13", "python3.12", "python3.11"];
const fitting = new Set(["3.11", "3.12", "3.13"]);

export interface Python {
  readonly path: string;
  /** Such as `3.11`. */
  readonly version: string;
}

/**
 * @param purpose what needs it: the first words of the error
 * @throws Error with a sentence if there is none
 */
export async function findPython(purpose: string): Promise<Python> {
  for (const path of pythons) {
    const question = "import sys, venv; print('%d.%d' % sys.version_info[:2])";
    const answer = await run(path, ["-c", question]).catch(() => null);
    const version = answer?.stdout.trim() ?? "";
    if (fitting.has(version)) return { path, version };
  }
  throw new Error(`${purpose} needs Python ${[...fitting].join(", ")} with venv, and none was found.`);
}
