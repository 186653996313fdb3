/** `outlast submit`: puts in one task, or a file of them, and waits for the end if asked to. */
import { type Command, Option } from "commander";
import { limits } from "../../model/limits.ts";
import type { Submission } from "../../model/submission.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { Outlast, Submitted } from "../../sdk/client.ts";
import { environment, idArgument, instant, positiveDuration, wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatDuration, parseDuration } from "../duration.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { Exit, UsageError } from "../failure.ts";
import { printable } from "../terminalText.ts";

interface SubmitFlags {
  readonly file?: string;
  readonly name?: string;
  readonly id?: string;
  readonly key?: string;
  readonly queue?: string;
  readonly priority?: number;
  readonly startAt?: number;
  readonly attemptsMax?: number;
  readonly timeout?: number;
  readonly env?: { readonly [name: string]: string };
  readonly cwd?: string;
  readonly shell?: boolean;
  readonly wait?: boolean;
}

const examples = `
Examples:
  outlast submit sleep 5
  outlast submit exec --wait -- make test
  outlast submit exec --shell -- 'pg_dump shop | gzip > shop.gz'
  outlast submit --file tasks.jsonl --wait
  echo '{"kind":"sleep","input":{"seconds":1}}' | outlast submit --file -

Prints the id of each task, and nothing else, on stdout. With --file, --queue, --priority and the other
options hold for tasks that do not say otherwise.
`;

export function submitCommand(program: Command): void {
  program
    .command("submit")
    .description("put in a task: sleep SECONDS, exec -- COMMAND [ARGUMENT…], or --file FILE")
    .argument("[kind]", "sleep or exec")
    .argument("[operands...]", "seconds, or a command and its arguments")
    .option("--file <file>", "tasks from a file: a JSON array, or one JSON object a line; - is stdin")
    .option("--name <name>", "what people call it")
    .addOption(
      new Option("--id <id>", "your own id; asking twice for one id with the same content is one task").argParser(
        idArgument,
      ),
    )
    .option("--key <key>", "idempotency key; asking twice with one key is one task", idArgument)
    .option("--queue <queue>", "which queue", idArgument)
    .option("--priority <n>", "a higher one starts first", wholeNumber(limits.priorityMin, limits.priorityMax))
    .option("--start-at <time>", "not before: 2027-01-31T08:00Z, or +10m", instant)
    .option("--attempts-max <n>", "how many attempts may fail; 1 means no retry", wholeNumber(1, limits.attemptsMaxMax))
    .option("--timeout <duration>", "how long one attempt may last", positiveDuration)
    .option("--env <NAME=value>", "exec: an environment variable; may be repeated", environment)
    .option("--cwd <directory>", "exec: where to run it, on the worker's machine")
    .option("--shell", "exec: the operand is a line for /bin/sh")
    .option("--wait", "wait for the end, also while no master answers; exit code 1 unless every task ended as success")
    .addHelpText("after", examples)
    .action(action(submit));
}

async function submit(
  context: Context,
  kind: string | undefined,
  operands: readonly string[],
  flags: SubmitFlags,
): Promise<ExitCode> {
  const common = commonFields(flags);
  if (flags.file !== undefined) {
    if (kind !== undefined) throw new UsageError("Either a kind of task or --file, not both.");
    const forOne = (["name", "id", "env", "cwd", "shell"] as const).find((flag) => flags[flag] !== undefined);
    if (forOne !== undefined)
      throw new UsageError(`--${forOne} is for a single task; in a file each task says it itself.`);
    return submitFile(context, flags.file, common, flags);
  }
  const submission = { ...common, ...toSubmission(kind, operands, flags) };
  const { checkSubmission } = await import("../submissionFile.ts");
  checkSubmission(submission);
  const client = await context.client();
  const submitted = await client.submit(submission, keyAndSignal(context, flags));
  return finish(context, client, [submitted], flags);
}

function commonFields(flags: SubmitFlags): Partial<Submission> {
  const { queue, priority, startAt, attemptsMax, timeout } = flags;
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(startAt === undefined ? {} : { startAt }),
    ...(attemptsMax === undefined ? {} : { attemptsMax }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
}

function toSubmission(kind: string | undefined, operands: readonly string[], flags: SubmitFlags): Submission {
  const { name, id, env, cwd, shell } = flags;
  const names = { ...(name === undefined ? {} : { name }), ...(id === undefined ? {} : { id }) };
  switch (kind) {
    case "sleep": {
      const [seconds] = operands;
      if (seconds === undefined || operands.length > 1)
        throw new UsageError("sleep takes one number of seconds: outlast submit sleep 5");
      if (env !== undefined || cwd !== undefined || shell !== undefined)
        throw new UsageError("--env, --cwd and --shell are for exec.");
      return { ...names, kind, input: { seconds: toSeconds(seconds) } };
    }
    case "exec":
      if (operands.length === 0) throw new UsageError("exec takes a command: outlast submit exec -- make test");
      return {
        ...names,
        kind,
        input: {
          command: [...operands],
          ...(env === undefined ? {} : { env: { ...env } }),
          ...(cwd === undefined ? {} : { cwd }),
          ...(shell === undefined ? {} : { shell }),
        },
      };
    case undefined:
      throw new UsageError(
        "What shall be done?",
        "outlast submit sleep 5, outlast submit exec -- make test, or outlast submit --file tasks.jsonl",
      );
    default:
      throw new UsageError(
        `There is no kind of task called "${kind}"; there are sleep and exec.`,
        `For a command: outlast submit exec -- ${kind} …`,
      );
  }
}

/** A bare number is seconds; a duration with its units will do as well. */
function toSeconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  try {
    return parseDuration(text) / 1000;
  } catch {
    throw new UsageError(`"${text}" is no number of seconds.`, "Examples: 5, 0.25, 1h30m");
  }
}

async function submitFile(
  context: Context,
  file: string,
  common: Partial<Submission>,
  flags: SubmitFlags,
): Promise<ExitCode> {
  const { parseSubmissions } = await import("../submissionFile.ts");
  const submissions = parseSubmissions(await readText(file), file === "-" ? "stdin" : file, common);
  const client = await context.client();
  const { output } = context;
  const submitted = await client.submitAll(submissions, {
    ...keyAndSignal(context, flags),
    onProgress: (count) => {
      if (count < submissions.length) output.note(`${count} of ${submissions.length} submitted …`);
    },
  });
  return finish(context, client, submitted, flags);
}

async function readText(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  if (file !== "-") {
    return readFile(file, "utf8").catch((error: unknown) => {
      throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  const { text } = await import("node:stream/consumers");
  return text(process.stdin);
}

function keyAndSignal(context: Context, flags: SubmitFlags): { signal: AbortSignal; key?: string } {
  return { signal: context.signal, ...(flags.key === undefined ? {} : { key: flags.key }) };
}

async function finish(
  context: Context,
  client: Outlast,
  submitted: readonly Submitted[],
  flags: SubmitFlags,
): Promise<ExitCode> {
  const { output } = context;
  const isMany = flags.file !== undefined;
  if (!output.isJson) for (const task of submitted) output.line(task.id);
  else if (flags.wait !== true) output.document(isMany ? { tasks: submitted } : submitted[0]);
  const existing = submitted.filter((task) => !task.isNew).length;
  if (existing > 0) output.note(isMany ? `${existing} of ${submitted.length} existed already.` : "It existed already.");
  return flags.wait === true ? waitForAll(context, client, submitted, isMany) : exitCodes.ok;
}

async function waitForAll(
  context: Context,
  client: Outlast,
  submitted: readonly Submitted[],
  isMany: boolean,
): Promise<ExitCode> {
  const { output } = context;
  const ended: TaskDocument[] = [];
  const ids = submitted.map((task) => task.id);
  try {
    for await (const task of client.waitAll(ids, { signal: context.signal })) {
      ended.push(task);
      if (!output.isJson) await tellEnd(context, client, task, isMany);
      else if (isMany) output.jsonLine(task);
      else output.document(task);
    }
  } catch (error) {
    if (error instanceof Exit)
      output.note("Only the waiting ends; the tasks go on. `outlast ls` shows them, `outlast cancel` ends them.");
    throw error;
  }
  return ended.every((task) => task.state === "success") ? exitCodes.ok : exitCodes.failed;
}

/** How a task ended; of a single one also where its output is, and after a failure the end of it. */
async function tellEnd(context: Context, client: Outlast, task: TaskDocument, isMany: boolean): Promise<void> {
  const { endText } = await import("../taskText.ts");
  const { output, signal } = context;
  const took = task.startedAt === undefined || task.endedAt === undefined ? null : task.endedAt - task.startedAt;
  output.note(`${endText(task)}${took === null ? "" : ` (took ${formatDuration(Math.max(0, took))})`}`);
  if (isMany || task.kind !== "exec") return;
  if (task.state !== "success" && task.attempt > 0) {
    for (const line of await lastLines(client, task, signal)) output.note(`  │ ${printable(line)}`);
  }
  output.note(`Its output: outlast logs ${task.id}`);
}

async function lastLines(client: Outlast, task: TaskDocument, signal: AbortSignal): Promise<string[]> {
  const offset = Math.max(0, (task.logBytes ?? 0) - limits.failureTailBytesMax);
  const decoder = new TextDecoder();
  let text = "";
  for await (const item of client.logs(task.id, { attempt: task.attempt, offset, signal })) {
    if (item.kind === "log") text += decoder.decode(item.bytes, { stream: true });
  }
  return text.trimEnd() === "" ? [] : text.trimEnd().split("\n").slice(-limits.failureTailLinesMax);
}
