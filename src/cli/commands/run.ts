/** `outlast run`: creates a task from a template. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Submission } from "../../model/submission.ts";
import type { TemplateVariables } from "../../model/templates/template.ts";
import type { Submitted } from "../../sdk/callOptions.ts";
import type { Outlast } from "../../sdk/client.ts";
import type { TypedSubmission } from "../../sdk/typedSubmission.ts";
import { idArgument, keyArgument, wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { UsageError } from "../failure.ts";
import { isGraphFile } from "../graphFile.ts";
import { sayHowToRepeat } from "../submitOptions.ts";

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
    .argument("<template>", "the template's name, or a file with a graph in YAML or JSON: ./graph.yaml", templateOrFile)
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

function templateOrFile(text: string): string {
  return isGraphFile(text) ? text : idArgument(text);
}

async function run(context: Context, template: string, flags: RunFlags): Promise<ExitCode> {
  if (isGraphFile(template)) return runGraph(context, template, flags);
  const client = await context.client();
  const { signal } = context;
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
  const submitted = await client
    .runTemplate(template, wish, { signal, ...(key !== undefined && { key }) })
    .catch(sayHowToRepeat);
  return finish(context, client, submitted, wait === true);
}

/** A graph in a file is submitted as it is. */
async function runGraph(context: Context, file: string, flags: RunFlags): Promise<ExitCode> {
  const { var: given, version, id, name, key, wait } = flags;
  if (given !== undefined || version !== undefined)
    throw new UsageError(
      "--var and --version are for templates.",
      "outlast template put FILE keeps a file as a template.",
    );
  const { readGraphFile } = await import("../graphFile.ts");
  const graph = await readGraphFile(file);
  const submission = { ...graph, ...(id !== undefined && { id }), ...(name !== undefined && { name }) };
  const { checkOne } = await import("../submissionFile.ts");
  checkOne(submission as unknown as Submission);
  const client = await context.client();
  const options = { signal: context.signal, ...(key !== undefined && { key }) };
  const submitted = await client
    .submit(submission as unknown as TypedSubmission<"graph">, options)
    .catch(sayHowToRepeat);
  return finish(context, client, submitted, wait === true);
}

async function finish(context: Context, client: Outlast, submitted: Submitted, isWaiting: boolean): Promise<ExitCode> {
  const { output } = context;
  if (!output.isJson) output.line(submitted.id);
  else if (!isWaiting) output.document(submitted);
  if (!submitted.isNew) output.note("This task existed already.");
  if (!isWaiting) return exitCodes.ok;
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
