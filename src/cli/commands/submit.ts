/** `outlast submit`: puts in one task, or a file of them, and waits for the end if asked to. */

import { isUtf8 } from "node:buffer";
import { type Command, Option } from "commander";
import { counted } from "../../model/counted.ts";
import { OutlastError } from "../../model/errors.ts";
import { runConditions } from "../../model/graphs/conditions.ts";
import type { JsonObject } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { Submission } from "../../model/submission.ts";
import { conflictRules } from "../../model/task.ts";
import type { Submitted } from "../../sdk/callOptions.ts";
import type { Outlast } from "../../sdk/client.ts";
import {
  environment,
  idArgument,
  instant,
  json,
  keyArgument,
  labelList,
  ownVariable,
  positiveDuration,
  taskList,
  wholeNumber,
} from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { memoryMaxOption, processesMaxOption } from "../execBounds.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { UsageError, withAdvice } from "../failure.ts";
import type { OperandFlags } from "../submitOperands.ts";
import { commonFields, type FieldFlags, keyAndSignal, retryOptions, sayHowToRepeat } from "../submitOptions.ts";

interface SubmitFlags extends OperandFlags, FieldFlags {
  /** Either one file of tasks, or the files of one task. */
  readonly file?: readonly string[];
  readonly stdin?: string;
  readonly artifact?: readonly string[];
  readonly key?: string;
  readonly wait?: boolean;
  readonly child?: string;
}

const examples = `
Examples:
  outlast submit sleep 5
  outlast submit exec --wait -- make test
  outlast submit exec --shell -- 'pg_dump shop | gzip > shop.gz'
  outlast submit container docker.io/library/alpine:3.22 --env NAME=world -- sh -c 'echo hello $NAME'
  outlast submit remote batch --input '{"definition":"nightly"}'
  outlast submit http https://example.com/hook --input '{"json":{"order":7}}'
  outlast submit exec --file data.csv=./today.csv --artifact 'out/**' -- make report
  outlast submit resize --input '{"file":"a.png"}' --requires gpu
  outlast submit --file tasks.jsonl --wait
  outlast submit exec --after ID,ID -- make report
  echo '{"kind":"sleep","input":{"seconds":1}}' | outlast submit --file -

Prints the id of each task, and nothing else, on stdout. With --file, options such as --queue and --priority
apply to tasks that do not set them; --id and --name are for a file of one task, such as a graph. A file is
submitted once: the same content again creates nothing new, unless --key has a new value.

The retries, time limits and queue in the definition of a handler are those of tasks that a program submits
through it. Tasks that name the handler here have what the options say, or what every task has.
`;

export function submitCommand(program: Command): void {
  program
    .command("submit")
    .argument("[kind]", "sleep, exec, container, http, remote, or the name of a handler")
    .argument(
      "[operands...]",
      "seconds, a command and its arguments, an image and its arguments, an address, or a service",
    )
    .option(
      "--file <file>",
      "without a kind: submit the tasks in a file, a JSON array, one JSON object per line, or one task in YAML; - reads stdin. exec: NAME=PATH uploads a file into the folder of the attempt, NAME=sha256:… takes one that is there, NAME='${tasks.ID.artifacts.PATH}' one that a task of --after has left; may be repeated",
      each,
    )
    .option("--stdin <file>", "exec: the stdin of the command, a file or a reference as for --file; - reads stdin")
    .option("--artifact <pattern>", "exec: keep what matches, such as 'out/**', after success; may be repeated", each)
    .option("--name <name>", "name of the task, shown in lists")
    .addOption(
      new Option(
        "--id <id>",
        "id of the task; submitting the same id and content twice creates the task once",
      ).argParser(idArgument),
    )
    .option("--key <key>", "idempotency key: submitting twice with the same key creates the task once", keyArgument)
    .option("--queue <queue>", "queue of the task", idArgument)
    .option(
      "--priority <n>",
      "tasks with a higher priority start first",
      wholeNumber(limits.priorityMin, limits.priorityMax),
    )
    .option("--start-at <time>", "do not start the task before this time: 2027-01-31T08:00Z, or +10m", instant)
    .option("--after <ids>", "start it once these tasks have ended, separated by commas", taskList)
    .addOption(
      new Option("--run-if <condition>", "what must have become of them; default: success").choices(runConditions),
    )
    .option("--concurrency-key <key>", "of the tasks of its queue with this key, only --concurrency-max run at a time")
    .option("--concurrency-max <n>", "see --concurrency-key; default: 1", wholeNumber(1, limits.concurrencyMaxMax))
    .option("--unique-key <key>", "of the unfinished tasks of its queue with this key there is only one")
    .addOption(
      new Option(
        "--on-conflict <rule>",
        "what happens if there is one: print its id, fail, or cancel it and start after it; default: existing",
      ).choices(conflictRules),
    )
    .option("--expires-at <time>", "if it has not started by then, it fails as expired", instant)
    .option("--deadline <duration>", "how long it may take in all, with every attempt and wait", positiveDuration)
    .option("--attempts-max <n>", "how many attempts may fail; 1 means no retry", wholeNumber(1, limits.attemptsMaxMax))
    .addOption(retryOptions.killsMax)
    .addOption(retryOptions.backoffBase)
    .addOption(retryOptions.backoffFactor)
    .addOption(retryOptions.backoffMax)
    .option("--timeout <duration>", "how long one attempt may last", positiveDuration)
    .option("--env <NAME=value>", "exec, container: an environment variable; may be repeated", environment)
    .option(
      "--secret-env <NAME>",
      "exec, container: a secret variable, with the value that it has in this command's own environment; may be repeated",
      ownVariable,
    )
    .option("--cwd <directory>", "working directory; exec: on the machine of the worker, container: in the container")
    .addOption(memoryMaxOption())
    .addOption(processesMaxOption())
    .option(
      "--input <json>",
      "handler: its input as JSON; default: {}. http: method, headers, body, json, expect. container: mounts, cpusMax, entrypoint. remote: the job",
      json,
    )
    .option("--requires <labels>", "labels that the worker must have, separated by commas", labelList)
    .option("--broadcast", "run once on every worker that could take it, each as a child of the task")
    .option("--shell", "exec: run the operand as a line of /bin/sh")
    .option(
      "--wait",
      "wait until the tasks have ended, also across master failures; exit code 1 unless all are success",
    )
    .option("--child <key>", "inside of an exec task: make it a child of that task, once for each key")
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
  if (flags.file !== undefined && (kind === undefined || flags.file.some((file) => !file.includes("=")))) {
    if (kind !== undefined) {
      throw new UsageError(
        "Give either a task kind or --file with a file of tasks, not both.",
        "With exec, --file NAME=PATH gives the command a file.",
      );
    }
    const [file = "", ...more] = flags.file;
    if (more.length > 0) throw new UsageError("Give one file of tasks.");
    const forOne = forOneTask.find((flag) => flags[flag] !== undefined);
    if (forOne !== undefined)
      throw new UsageError(
        `--${forOne.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is for a single task. In a file, set it for each task.`,
      );
    return submitFile(context, file, common, flags);
  }
  const { toSubmission } = await import("../submitOperands.ts");
  const submission = { ...common, ...toSubmission(kind, operands, flags) };
  const { checkOne } = await import("../submissionFile.ts");
  checkOne(submission);
  await refuseReplacedBytes();
  if (flags.child !== undefined) return submitChild(flags.child, submission, flags);
  const client = await context.client();
  const whole = await withFiles(context, client, submission, flags);
  const submitted = await client.submit(whole, keyAndSignal(context, flags)).catch(sayHowToRepeat);
  return finish(context, client, [submitted], flags, false);
}

const forOneTask = [
  ...(["env", "secretEnv", "cwd", "shell", "memoryMax", "processesMax", "stdin", "artifact"] as const),
];

async function submitChild(key: string, submission: Submission, flags: SubmitFlags): Promise<ExitCode> {
  const refused = (["wait", "id", "key", "file", "stdin", "artifact"] as const).find(
    (flag) => flags[flag] !== undefined,
  );
  if (refused !== undefined) throw new UsageError(`--${refused} is not for children.`);
  const { askAttempt } = await import("../attemptCall.ts");
  await askAttempt({ kind: "child", key, submission });
  return exitCodes.ok;
}

/** Uploads the files that the command is to find, and adds them to its input. */
async function withFiles(
  context: Context,
  client: Outlast,
  submission: Submission,
  { file = [], stdin, artifact = [] }: SubmitFlags,
): Promise<Submission> {
  if (file.length === 0 && stdin === undefined && artifact.length === 0) return submission;
  if (submission.kind !== "exec") throw new UsageError("--file NAME=PATH, --stdin and --artifact are options of exec.");
  const { referenceFor } = await import("../blobFiles.ts");
  const files: { [name: string]: string } = {};
  for (const each of file) {
    const split = each.indexOf("=");
    files[each.slice(0, split)] = await referenceFor(client, each.slice(split + 1), context.signal);
  }
  const input = {
    ...(submission.input as JsonObject),
    ...(file.length > 0 && { files }),
    ...(stdin !== undefined && { stdin: { blob: await referenceFor(client, stdin, context.signal) } }),
    ...(artifact.length > 0 && { artifacts: [...artifact] }),
  };
  return { ...submission, input };
}

/** Node replaces what is not UTF-8 on the command line; the task would run another command than was asked for. */
async function refuseReplacedBytes(): Promise<void> {
  if (!process.argv.some((argument) => argument.includes("\ufffd"))) return;
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile("/proc/self/cmdline").catch(() => null);
  if (bytes === null || isUtf8(bytes)) return;
  throw new UsageError("The command line contains bytes that are not UTF-8.", "Nothing is submitted.");
}

async function submitFile(
  context: Context,
  file: string,
  common: Partial<Submission>,
  flags: SubmitFlags,
): Promise<ExitCode> {
  const { decodeUtf8, parseSubmissions } = await import("../submissionFile.ts");
  const { readBytes } = await import("../readBytes.ts");
  const source = file === "-" ? "stdin" : file;
  const { isYaml, readGraphs } = await import("../graphFile.ts");
  const text = isYaml(file) ? await readGraphs(file) : decodeUtf8(await readBytes(file), source);
  const { submissions: read, places } = parseSubmissions(text, source, common);
  const submissions = named(read, source, flags);
  const client = await context.client();
  const { output } = context;
  const submitted = await client
    .submitAll(submissions, {
      ...keyAndSignal(context, flags),
      // What comes in on stdin has no identity of its own: the next input may be the same and mean new tasks.
      once: file !== "-",
      onProgress: (count) => {
        if (count < submissions.length) output.note(`${count} of ${submissions.length} submitted …`);
      },
    })
    .catch((error: unknown) => {
      throw inFile(error, source, places);
    });
  return finish(context, client, submitted, flags, true);
}

/** `--id` and `--name` are those of the only task of a file. @throws UsageError */
function named(submissions: readonly Submission[], source: string, { id, name }: SubmitFlags): readonly Submission[] {
  if (id === undefined && name === undefined) return submissions;
  if (submissions.length > 1) {
    const [flag, field] = id === undefined ? ["--name", "name"] : ["--id", "id"];
    throw new UsageError(
      `${flag} is for a single task, and ${source} holds ${submissions.length}.`,
      `Give each of them its own "${field}" in the file.`,
    );
  }
  const given = { ...(id !== undefined && { id }), ...(name !== undefined && { name }) };
  return submissions.map((submission) => ({ ...submission, ...given }));
}

/** An error of one task of a file says where that task stands, how many tasks are in already, and how to go on. */
function inFile(error: unknown, source: string, places: readonly string[]): unknown {
  if (!(error instanceof OutlastError)) return error;
  const { path, submitted, key, mayBeDone } = error.details;
  const index = /^\/tasks\/(\d+)/.exec(path ?? "")?.[1];
  const place = index === undefined ? "" : `, ${places[Number(index)]}`;
  const again = typeof key === "string" ? `with --key ${key}` : "in the same way";
  const progress =
    submitted === 0
      ? mayBeDone === true
        ? `Submit it again ${again}: no task is created twice.`
        : "No task of it is submitted."
      : submitted === 1
        ? `The first task of it is submitted. Submit it again ${again}: that one is not created twice.`
        : `The first ${Number(submitted)} tasks of it are submitted. Submit it again ${again}: these are not created twice.`;
  return withAdvice(new OutlastError(error.code, `${source}${place}: ${error.message}`, error.details), progress);
}

function each(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function finish(
  context: Context,
  client: Outlast,
  submitted: readonly Submitted[],
  flags: SubmitFlags,
  isMany: boolean,
): Promise<ExitCode> {
  const { output } = context;
  if (!output.isJson) for (const task of submitted) output.line(task.id);
  else if (flags.wait !== true) output.document(isMany ? { tasks: submitted } : submitted[0]);
  const [only] = submitted;
  const existing = submitted.filter((task) => !task.isNew).length;
  if (only?.isExisting === true && !isMany)
    output.note("This task has the unique key and has not ended, so no other one was created.");
  else if (only?.replaced !== undefined && !isMany) output.note(`It replaces task ${only.replaced}.`);
  else if (existing > 0 && !isMany) output.note("This task existed already.");
  else if (existing > 0) {
    const hint =
      flags.file?.[0] === "-" ? "" : " To submit this file once more as new tasks, add --key with a new value.";
    output.note(`${existing} of ${counted(submitted.length, "task")} existed already.${hint}`);
  }
  if (flags.wait !== true) return exitCodes.ok;
  const { waitForAll } = await import("../submitWait.ts");
  return waitForAll(context, client, submitted, isMany);
}
