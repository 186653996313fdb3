/** The whole command line: every command, the options that all of them take, and what the exit codes mean. */
import { Command, Option } from "commander";
import { defaults } from "../model/limits.ts";
import { duration, masterList } from "./arguments.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { chaosCommand } from "./commands/chaos.ts";
import { demoCommand, stressCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { drainCommand } from "./commands/drain.ts";
import { logsCommand } from "./commands/logs.ts";
import { lsCommand } from "./commands/ls.ts";
import { masterCommand } from "./commands/master.ts";
import { mastersCommand } from "./commands/masters.ts";
import { queuesCommand } from "./commands/queues.ts";
import { showCommand } from "./commands/show.ts";
import { submitCommand } from "./commands/submit.ts";
import { upCommand } from "./commands/up.ts";
import { workerCommand } from "./commands/worker.ts";
import { workersCommand } from "./commands/workers.ts";
import { exitCodeRows } from "./exitCodes.ts";
import { acceptBehindCommands } from "./globalOptions.ts";

/** Each file of a command holds only its options; what it needs to run is loaded when it runs, so that start-up is quick. */
export function buildProgram(version: string, isJson = false): Command {
  const program = new Command("outlast")
    .description("Long-running tasks that outlive the machines they run on.")
    .version(version, "-V, --version", "print the version")
    .addOption(
      new Option(
        "--masters <urls>",
        "addresses of masters, separated by commas; without http:// the port may be left out",
      )
        .env("OUTLAST_MASTERS")
        .default([`http://${defaults.address}:${defaults.port}`], `http://${defaults.address}:${defaults.port}`)
        .argParser(masterList),
    )
    .addOption(
      new Option(
        "--token <token>",
        "the secret that masters ask for; rather set the variable, others can see arguments",
      ).env("OUTLAST_TOKEN"),
    )
    .addOption(
      new Option("--retry-for <duration>", "how long to go on while no master answers")
        .default(defaults.commandRetryForMs, "5s")
        .argParser(duration),
    )
    .option("--json", "results as JSON: one document, or one line each for what goes on")
    .option("--no-color", "no colours (NO_COLOR does the same)")
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showHelpAfterError("(--help after the command shows what it takes)")
    .addHelpText("after", () => {
      const lines = exitCodeRows().map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
      return `\nExit codes:\n${lines.join("\n")}`;
    })
    .exitOverride();

  program.commandsGroup("Run it:");
  upCommand(program);
  masterCommand(program);
  workerCommand(program);
  program.commandsGroup("Tasks:");
  submitCommand(program);
  lsCommand(program);
  showCommand(program);
  logsCommand(program);
  cancelCommand(program);
  program.commandsGroup("The cluster:");
  mastersCommand(program);
  workersCommand(program);
  drainCommand(program);
  queuesCommand(program);
  doctorCommand(program);
  program.commandsGroup("See it survive:");
  demoCommand(program);
  stressCommand(program);
  chaosCommand(program);
  acceptBehindCommands(program);
  // Programs get the complaint as a document, from who catches the error.
  if (isJson) silenceComplaints(program);
  return program;
}

function silenceComplaints(command: Command): void {
  command.configureOutput({ outputError: () => {} }).showHelpAfterError(false);
  for (const each of command.commands) silenceComplaints(each);
}
