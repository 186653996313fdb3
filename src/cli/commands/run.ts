/** `outlast run`: creates a task from a template. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Json, JsonObject } from "../../model/json.ts";
import type { TemplateVariables } from "../../model/templates/template.ts";
import { idArgument, keyArgument, wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";

interface RunFlags {
  readonly var?: { readonly [name: string]: string };
  readonly id?: string;
  readonly name?: string;
  readonly key?: string;
  readonly version?: number;
  readonly wait?: boolean;
}

export function runCommand(program: Command): void {
  program
    .command("run")
    .argument("<template>", "the template's name", idArgument)
    .option("--var <NAME=value>", "the value of a variable; may be repeated", variable)
    .addOption(
      new Option("--id <id>", "your own id; asking twice for one id with the same variables is one task").argParser(
        idArgument,
      ),
    )
    .option("--name <name>", "what people call the task")
    .option("--key <key>", "idempotency key: running twice with the same key creates the task once", keyArgument)
    .option("--version <n>", "an older version of the template", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option("--wait", "wait for the end; exit code 1 unless the task ended as success")
    .action(action(run));
}

function variable(text: string, before: { readonly [name: string]: string } = {}): { readonly [name: string]: string } {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write it as NAME=value.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

async function run(context: Context, template: string, flags: RunFlags): Promise<ExitCode> {
  const client = await context.client();
  const { output, signal } = context;
  const { var: given = {}, id, name, key, version, wait } = flags;
  const pinned = version === undefined ? {} : { version };
  const isTyped = Object.keys(given).length > 0;
  const { variables = {} } = isTyped ? await client.template(template, { signal, ...pinned }) : {};
  const wish = {
    variables: typed(given, variables),
    ...pinned,
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
  };
  const submitted = await client.runTemplate(template, wish, { signal, ...(key !== undefined && { key }) });
  if (!output.isJson) output.line(submitted.id);
  else if (wait !== true) output.document(submitted);
  if (!submitted.isNew) output.note("This task existed already.");
  if (wait !== true) return exitCodes.ok;
  const { waitForAll } = await import("../submitWait.ts");
  return waitForAll(context, client, [submitted], false);
}

/** Text as a value of the variable's type. What does not fit is sent as text: the master lists everything that is wrong. */
function typed(given: { readonly [name: string]: string }, variables: TemplateVariables): JsonObject {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]): [string, Json] => {
      const type = Object.hasOwn(variables, name) ? variables[name]?.type : undefined;
      return [name, type === undefined || type === "string" ? text : parsed(text)];
    }),
  );
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
