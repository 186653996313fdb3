/** Writes docs/cli.md from the commands themselves (`--write`), or checks that it still says what they say. */
import type { Command } from "commander";
import { exitCodeRows } from "../src/cli/exitCodes.ts";
import { buildProgram } from "../src/cli/program.ts";
import { writeOrCheck } from "./printedDocument.ts";

const columns = 100;

writeOrCheck("docs/cli.md", await toMarkdown(), { source: "the commands", script: "scripts/cliDocument.ts" });

async function toMarkdown(): Promise<string> {
  const program = (await buildProgram("0.0.0", "all")).configureHelp({ showGlobalOptions: false, helpWidth: columns });
  const commands = program.commands.flatMap((command) => [command, ...command.commands]);
  return [
    "# The command line",
    "",
    "Written by `scripts/cliDocument.ts` from what each command says of itself with `--help`; do not edit it here.",
    "",
    "Results go to stdout, all else to stderr. With `--json` a result is one document; what goes on (`ls --all`,",
    '`ls --watch`, `logs`, `submit --file --wait`, `up`) is one document a line, and an error is `{ "error": { "code", "message", … } }`',
    "on stderr. Durations are written `250ms`, `5m`, `1h30m`; instants `2027-01-31T08:00Z`, or `+10m` from now.",
    "Colours are for terminals only; `NO_COLOR`, `FORCE_COLOR` and `--no-color` decide otherwise.",
    "",
    "## Exit codes",
    "",
    "| code | meaning |",
    "|---|---|",
    ...exitCodeRows().map(({ code, meaning }) => `| ${code} | ${meaning} |`),
    "",
    "`master`, `worker` and `up` end with 0 when a signal has stopped them in good order.",
    "",
    "## Options of every command",
    "",
    ...block(optionsOf(program)),
    ...commands.flatMap((command) => [`## ${fullName(command)}`, "", ...block(helpOf(command))]),
  ].join("\n");
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function block(text: string): string[] {
  return ["```text", text.replace(/^\n+/, "").trimEnd(), "```", ""];
}

/** The whole help, with what `addHelpText` adds to it, and without the options that all commands share. */
function helpOf(command: Command): string {
  let text = "";
  command.configureHelp({ showGlobalOptions: false, helpWidth: columns });
  command.configureOutput({
    writeOut: (piece) => (text += piece),
    getOutHelpWidth: () => columns,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}

function optionsOf(program: Command): string {
  const help = program.createHelp();
  help.prepareContext({ helpWidth: columns });
  const options = help.visibleOptions(program);
  const width = Math.max(...options.map((option) => help.optionTerm(option).length));
  return options
    .map((option) => help.formatItem(help.optionTerm(option), width, help.optionDescription(option), help))
    .join("\n");
}
