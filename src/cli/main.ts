/** The program behind `outlast`: reads the command line, runs the command, sets the exit code. Runs on import. */
import { CommanderError } from "commander";
import { exitCodes } from "./exitCodes.ts";
import { reportFailure, UsageError } from "./failure.ts";
import { handleLostReaders } from "./output.ts";
import { buildProgram } from "./program.ts";
import { readVersion } from "./version.ts";

handleLostReaders();
process.on("uncaughtException", endOnBug);
process.on("unhandledRejection", endOnBug);

const isJson = asksForJson(process.argv);
try {
  const program = await buildProgram(readVersion(), process.argv.slice(2), isJson);
  await program.parseAsync();
} catch (error) {
  // Commander has already printed its help or its error.
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = exitCodes.ok;
  else if (error instanceof CommanderError) {
    process.exitCode = isJson ? reportFailure(usageError(error), isJson) : exitCodes.usage;
  } else process.exitCode = reportFailure(error, isJson);
}

/** Commander's error without its prefix. */
function usageError(error: CommanderError): UsageError {
  const [message = "", hint = null] = error.message.replace(/^error: /, "").split("\n");
  return new UsageError(message, hint);
}

/** After a bug the state of the process is unknown, so it ends. What it has promised is on disk, in a store or an outbox. */
function endOnBug(error: unknown): void {
  process.exit(reportFailure(error, isJson));
}

/** For errors before the command line is parsed. What stands behind `--` belongs to a task's command. */
function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).includes("--json");
}
