/** The options that all commands take: before or after the command, unless the command has its own option of that name. */
import type { Command, Option } from "commander";

/**
 * Commander takes a global option anywhere, even where a command has its own option of the same name (`up --masters 3`).
 * So it looks for global options before the command only, and every command gets a hidden copy of those that it lacks.
 */
export function acceptBehindCommands(program: Command): void {
  program.enablePositionalOptions();
  const globals = program.options.filter((option) => option.long !== "--version");
  for (const command of withSubcommands(program)) {
    for (const option of globals) {
      if (command.options.some((own) => own.long === option.long)) continue;
      const copy = Object.assign(Object.create(Object.getPrototypeOf(option) as object) as Option, option);
      command.addOption(copy.hideHelp());
    }
  }
}

/** The values of the global options for one command: an option after the command overrides the same option before it. */
export function globalValues<Values extends object>(command: Command): Values {
  const chain: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) chain.unshift(at);
  const [program] = chain;
  const values: { [name: string]: unknown } = {};
  for (const each of chain) {
    for (const option of program?.options ?? []) {
      const name = option.attributeName();
      const isIts = each === program || each.options.some((own) => own.flags === option.flags);
      const isSaid = each === program || each.getOptionValueSource(name) === "cli";
      if (isIts && isSaid) values[name] = each.getOptionValue(name);
    }
  }
  return values as Values;
}

function withSubcommands(program: Command): readonly Command[] {
  return program.commands.flatMap((command) => [command, ...withSubcommands(command)]);
}
