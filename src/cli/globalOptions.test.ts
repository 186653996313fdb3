/** Global options are found before and behind a command, and never taken from a command that has its own of that name. */
import { Command } from "commander";
import { expect, test } from "vitest";
import { acceptBehindCommands, globalValues } from "./globalOptions.ts";

interface Seen {
  readonly own: object;
  readonly globals: object;
}

function parse(...given: string[]): Seen {
  let seen: Seen | null = null;
  const look = (...values: unknown[]) => {
    const command = values.at(-1) as Command;
    seen = { own: command.opts(), globals: globalValues(command) };
  };
  const program = new Command("x").option("--masters <urls>", "", "here").option("--json").exitOverride();
  program.command("list").action(look);
  program.command("many").option("--masters <count>", "", Number, 3).action(look);
  program.command("queues").command("pause").action(look);
  acceptBehindCommands(program);
  program.parse(["node", "x", ...given]);
  if (seen === null) throw new Error("No command ran.");
  return seen;
}

test("a global option may stand before or behind a command; behind it wins", () => {
  expect(parse("list").globals).toMatchObject({ masters: "here" });
  expect(parse("--masters", "a", "list").globals).toMatchObject({ masters: "a" });
  expect(parse("--masters", "a", "list", "--masters", "b", "--json").globals).toEqual({ masters: "b", json: true });
  expect(parse("queues", "pause", "--json").globals).toMatchObject({ masters: "here", json: true });
});

test("a command's own option of the same name is its own", () => {
  const { own, globals } = parse("--masters", "a", "many", "--masters", "5", "--json");
  expect(own).toMatchObject({ masters: 5 });
  expect(globals).toEqual({ masters: "a", json: true });
});
