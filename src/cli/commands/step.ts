/** `outlast step`, `outlast progress` and `outlast status`: what a command inside of an exec task says to its task. */
import type { Command } from "commander";
import { limits } from "../../model/limits.ts";
import { askAttempt } from "../attemptCall.ts";
import { action, type Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { LocalFailure, UsageError } from "../failure.ts";

export function stepCommand(program: Command): void {
  program
    .command("step")
    .argument("<key>", "names the step; it runs once for each key of a task")
    .argument("<command...>", "the command and its arguments, after --")
    .action(action(step));
}

export function progressCommand(program: Command): void {
  program
    .command("progress")
    .argument("<done>", "how much is done, in units of your own", number)
    .argument("[total]", "of how much", number)
    .argument("[text]", "what is going on")
    .action(
      action(async (_context: Context, done: number, total: number | undefined, text: string | undefined) => {
        await askAttempt({
          kind: "progress",
          done,
          ...(total !== undefined && { total }),
          ...(text !== undefined && { text }),
        });
      }),
    );
}

export function statusCommand(program: Command): void {
  program
    .command("status")
    .argument("<text>", "what is going on")
    .action(
      action(async (_context: Context, text: string) => {
        await askAttempt({ kind: "progress", text });
      }),
    );
}

/** Prints what the command printed, when it ran or when an earlier attempt has run it. */
async function step(_context: Context, key: string, words: readonly string[]): Promise<ExitCode> {
  const known = await askAttempt({ kind: "find-step", key });
  if (known.kind === "step" && known.value !== undefined) {
    process.stdout.write(outputOf(known.value, key));
    return exitCodes.ok;
  }
  const output = await run(words);
  if (typeof output === "number") return output as ExitCode;
  // Printed only once it is remembered: whoever reads it may rely on it.
  await askAttempt({ kind: "step", key, value: { output } });
  process.stdout.write(output);
  return exitCodes.ok;
}

function outputOf(value: unknown, key: string): string {
  const { output } = (value ?? {}) as { readonly output?: unknown };
  if (typeof output === "string") return output;
  throw new LocalFailure(`The key ${JSON.stringify(key)} is that of something else than a step of a command.`, null);
}

/** What it printed on stdout; its exit code if it failed. Its stderr goes to the task's log. */
async function run([program = "", ...given]: readonly string[]): Promise<string | number> {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn(program, given, { stdio: ["inherit", "pipe", "inherit"] });
    const pieces: Buffer[] = [];
    let bytes = 0;
    child.stdout.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= limits.stepBytesMax) return void pieces.push(piece);
      child.kill("SIGKILL");
      const message = `The output of a step may have ${limits.stepBytesMax} bytes.`;
      reject(new LocalFailure(message, "Keep larger results in files, as artifacts or blobs."));
    });
    child.once("error", (error) => reject(new UsageError(`${program} cannot be started: ${error.message}`)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(pieces).toString());
      else resolve(signal === null ? (code ?? 1) : 1);
    });
  });
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new UsageError(`"${text}" is not a number.`);
}
