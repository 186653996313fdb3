/** `outlast schedule import`: puts a schedule for each command of a crontab, and tells what differs from the import before. */
import { type Command, Option } from "commander";
import { OutlastError } from "../../model/errors.ts";
import { isId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { type Overlap, overlaps, type ScheduleView } from "../../model/schedules/schedule.ts";
import type { Outlast } from "../../sdk/client.ts";
import { idArgument, wholeNumber } from "../arguments.ts";
import { readText } from "../contentFile.ts";
import { action, type Context } from "../context.ts";
import { UsageError } from "../failure.ts";
import { type ImportPlan, importMark, planImport } from "./importPlan.ts";
import { type ImportOutcome, jsonOf, show } from "./importReport.ts";
import { type Crontab, type CrontabProblem, isTimeZone, readCrontab } from "./readCrontab.ts";

const goneChoices = ["keep", "pause", "remove"] as const;

export function importCommand(schedule: Command): void {
  schedule
    .command("import")
    .description("put a schedule for each command of a crontab; run again, it changes what has changed")
    .argument("<crontab>", "the file, such as the output of `crontab -l`; - is stdin")
    .option("--prefix <text>", "what the names of the schedules begin with; one for each crontab", prefixArgument, "")
    .option("--time-zone <zone>", "of lines above which no CRON_TZ stands; that of this machine if left out")
    .option("--queue <name>", "the queue of their tasks", idArgument)
    .addOption(
      new Option("--overlap <rule>", "what happens to a tick while the task of an earlier one runs")
        .choices(overlaps)
        .default("allow"),
    )
    .option("--attempts-max <n>", "how often each task is tried", wholeNumber(1, limits.attemptsMaxMax), 1)
    .option(
      "--kills-max <n>",
      "how often its worker may be lost, after which it runs again; default: any number of times",
      wholeNumber(0, limits.killsMaxMax),
    )
    .option("--system", "its lines name a user before the command, as those of /etc/crontab do", false)
    .addOption(
      new Option("--gone <what>", "what is done with schedules of earlier imports whose line is gone")
        .choices(goneChoices)
        .default("keep"),
    )
    .option("--overwrite", "replace schedules of these names that no import with this prefix has made", false)
    .option("--dry-run", "only show what would be done", false)
    .action(action(importCrontab));
}

function prefixArgument(text: string): string {
  return text === "" ? text : idArgument(text);
}

interface ImportFlags {
  readonly prefix: string;
  readonly timeZone?: string;
  readonly queue?: string;
  readonly overlap: Overlap;
  readonly attemptsMax: number;
  readonly killsMax?: number;
  readonly system: boolean;
  readonly gone: (typeof goneChoices)[number];
  readonly overwrite: boolean;
  readonly dryRun: boolean;
}

async function importCrontab(context: Context, file: string, flags: ImportFlags): Promise<undefined> {
  const { prefix, dryRun: isDryRun, gone: goneRule } = flags;
  const crontab = await readFile(file, flags);
  const { output, signal } = context;
  const client = await context.client();
  await refuseUnreadable(crontab, client, signal);
  const schedules: ScheduleView[] = [];
  for await (const schedule of client.schedules.list({ signal, consistent: true })) schedules.push(schedule);
  const plan = planImport(crontab.commands, schedules, prefix);
  refuseClashes(plan, flags);
  if (!isDryRun) await carryOut(plan, goneRule, client, signal);
  const queue = flags.queue ?? null;
  const workers = await client.workers({ signal });
  const isServed = workers.some(({ state, queues }) => state === "connected" && queues.includes(queue ?? "default"));
  const outcome: ImportOutcome = { plan, goneRule, isDryRun, unservedQueue: isServed ? null : (queue ?? "default") };
  if (output.isJson) return output.document(jsonOf(outcome)) as undefined;
  show(outcome, output);
}

async function readFile(file: string, flags: ImportFlags): Promise<Crontab> {
  const { prefix, timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone, system: isSystem } = flags;
  if (!isTimeZone(timeZone))
    throw new UsageError(`Unknown time zone "${timeZone}".`, "Use a name such as Europe/Berlin or UTC.");
  if (!isSystem && /^\/etc\/(crontab$|cron\.d\/)/.test(file))
    throw new UsageError(`${file} is a system crontab: its lines name a user before the command.`, "Add --system.");
  const { queue, killsMax, overlap, attemptsMax } = flags;
  return readCrontab(await readText(file), {
    ...{ description: importMark(prefix), timeZone, overlap, attemptsMax, isSystem },
    ...(queue !== undefined && { queue }),
    ...(killsMax !== undefined && { killsMax }),
  });
}

/** @throws UsageError that names every line that cannot be taken over, also those that a master refuses */
async function refuseUnreadable({ commands, problems }: Crontab, client: Outlast, signal: AbortSignal): Promise<void> {
  const all: CrontabProblem[] = [...problems];
  for (const { content, line, text } of commands) {
    try {
      await client.schedules.preview(content, { count: 1, signal });
    } catch (error) {
      if (!(error instanceof OutlastError) || error.code !== "invalid") throw error;
      all.push({ line, text, why: error.message });
    }
  }
  if (all.length > 0) throw refusal("The crontab cannot be taken over, and nothing of it was:", all, null);
}

function refusal(title: string, problems: readonly CrontabProblem[], hint: string | null): UsageError {
  const inOrder = problems.toSorted((one, other) => one.line - other.line);
  const lines = inOrder.map(({ line, text, why }) => `line ${line}: ${why.replace(/\.$/, "")}: ${text}`);
  return new UsageError([title, ...lines].join("\n"), hint);
}

function refuseClashes({ clashes, lines, gone }: ImportPlan, { overwrite, gone: rule, prefix }: ImportFlags): void {
  if (lines.some(({ name }) => !isId(name))) throw new UsageError(`The prefix ${prefix} is too long.`);
  if (clashes.length > 0 && !overwrite) {
    const problems = clashes.map(({ line, text, name }) => ({
      line,
      text,
      why: `there is a schedule ${name} already`,
    }));
    const title = "Nothing was imported, as schedules have been made or changed by hand:";
    throw refusal(title, problems, "Replace them with --overwrite, or choose another --prefix.");
  }
  // Such as the output of a `crontab -l` that has failed.
  if (lines.length === 0 && gone.length > 0 && rule !== "keep")
    throw new UsageError(
      `The crontab has no command, so that --gone ${rule} would ${rule} all that was imported.`,
      "If that is meant, do it with `outlast schedule`.",
    );
}

async function carryOut(
  { lines, gone }: ImportPlan,
  rule: ImportFlags["gone"],
  client: Outlast,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, content, state } of lines)
    if (state !== "unchanged") await client.schedules.put(name, content, { signal });
  for (const { name, isPaused } of gone) {
    if (rule === "remove") await client.schedules.remove(name, { signal });
    if (rule === "pause" && !isPaused) await client.schedules.pause(name, { signal });
  }
}
