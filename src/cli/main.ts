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

const isJson = process.argv.includes("--json");
try {
  await buildProgram(readVersion(), isJson).parseAsync();
} catch (error) {
  // Commander has printed its help or its complaint already.
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = exitCodes.ok;
  else if (error instanceof CommanderError) {
    process.exitCode = isJson ? reportFailure(usageError(error), isJson) : exitCodes.usage;
  } else process.exitCode = reportFailure(error, isJson);
}

/** What commander complains of, without the word that it puts before it. */
function usageError(error: CommanderError): UsageError {
  const [message = "", hint = null] = error.message.replace(/^error: /, "").split("\n");
  return new UsageError(message, hint);
}

/** The state of the process is unknown by now, so it ends: whatever it was doing is safe in a store or an outbox. */
function endOnBug(error: unknown): void {
  process.exit(reportFailure(error, process.argv.includes("--json")));
}
