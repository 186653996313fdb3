/** The command line: every command, the options that all of them take, and what the exit codes mean. */
import { Command, Option } from "commander";
import { defaults } from "../model/limits.ts";
import { duration, masterList } from "./arguments.ts";
import { commandTable } from "./commandTable.ts";
import { exitCodeRows } from "./exitCodes.ts";
import { acceptBehindCommands } from "./globalOptions.ts";

/**
 * @param words the command line; commands that it does not name are there with their description only. "all" loads
 * every one.
 */
export async function buildProgram(
  version: string,
  words: readonly string[] | "all",
  isJson = false,
): Promise<Command> {
  const program = new Command("outlast")
    .description("Long-running tasks that outlive the machines they run on.")
    .version(version, "-V, --version", "print the version")
    .addOption(
      new Option("--masters <urls>", "addresses of masters, separated by commas; host alone means http://host:7070")
        .env("OUTLAST_MASTERS")
        .default([`http://${defaults.address}:${defaults.port}`], `http://${defaults.address}:${defaults.port}`)
        .argParser(masterList),
    )
    .addOption(
      new Option("--token <token>", "token of the masters; prefer a file, because other users can see arguments").env(
        "OUTLAST_TOKEN",
      ),
    )
    .addOption(
      new Option(
        "--token-file <file>",
        "file with the token; better than the variable, which a process around this one may show",
      ).env("OUTLAST_TOKEN_FILE"),
    )
    .addOption(
      new Option(
        "--tls-ca <file>",
        "certificates to trust besides the usual ones, in PEM; for masters with --tls-cert",
      ).env("OUTLAST_TLS_CA"),
    )
    .addOption(
      new Option(
        "--tls-client-cert <file>",
        "certificate (PEM) to show to masters, for those with --tls-client-ca",
      ).env("OUTLAST_TLS_CLIENT_CERT"),
    )
    .addOption(new Option("--tls-client-key <file>", "the key of that certificate (PEM)").env("OUTLAST_TLS_CLIENT_KEY"))
    .addOption(
      new Option("--retry-for <duration>", "how long to retry while no master answers")
        .default(defaults.commandRetryForMs, "5s")
        .argParser(duration),
    )
    .option("--json", "print machine-readable JSON: one document, or one document per line for streams")
    .option("--no-color", "print no colours (like NO_COLOR)")
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showHelpAfterError("(add --help to see the options)")
    .addHelpText("after", () => {
      const lines = exitCodeRows().map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
      return `\nExit codes:\n${lines.join("\n")}`;
    })
    .exitOverride();

  let group = "";
  for (const entry of commandTable) {
    if (entry.group !== group) program.commandsGroup(entry.group);
    group = entry.group;
    if (words === "all" || words.includes(entry.name)) (await entry.load())(program);
    else program.command(entry.name);
    program.commands.at(-1)?.description(entry.description);
  }
  acceptBehindCommands(program);
  // With --json, the caller prints the error as a JSON document.
  if (isJson) silenceComplaints(program);
  return program;
}

function silenceComplaints(command: Command): void {
  command.configureOutput({ outputError: () => {} }).showHelpAfterError(false);
  for (const each of command.commands) silenceComplaints(each);
}
