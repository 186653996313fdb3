/** The program behind `outlast`: reads the command line, runs the command, sets the exit code. Runs on import. */
import { CommanderError } from "commander";
import { exitCodes } from "./exitCodes.ts";
import { reportFailure } from "./failure.ts";
import { endOnClosedPipe } from "./output.ts";
import { buildProgram } from "./program.ts";
import { readVersion } from "./version.ts";

endOnClosedPipe();
process.on("uncaughtException", endOnBug);
process.on("unhandledRejection", endOnBug);

try {
  await buildProgram(readVersion()).parseAsync();
} catch (error) {
  // Commander has printed its help or its complaint already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else process.exitCode = reportFailure(error, process.argv.includes("--json"));
}

/** The state of the process is unknown by now, so it ends: whatever it was doing is safe in a store or an outbox. */
function endOnBug(error: unknown): void {
  process.exit(reportFailure(error, process.argv.includes("--json")));
}
