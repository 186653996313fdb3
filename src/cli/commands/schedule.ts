/** `outlast schedule`: puts, lists, shows, pauses, triggers, previews and removes schedules. */
import type { Command } from "commander";
import { limits } from "../../model/limits.ts";
import type { BackfilledTick, ScheduleView } from "../../model/schedules/schedule.ts";
import { idArgument, instant, keyArgument, wholeNumber } from "../arguments.ts";
import { nameOf } from "../contentFile.ts";
import { action, type Context } from "../context.ts";
import { importCommand } from "../crontab/importCommand.ts";
import { formatInstantWithOffset } from "../duration.ts";
import { readScheduleFile } from "../scheduleFile.ts";
import { whenText } from "../scheduleText.ts";
import type { Column } from "../table.ts";
import { printable } from "../terminalText.ts";

const examples = `
A schedule is a YAML or JSON file:
  name: nightly
  when: { cron: "0 2 * * *", timeZone: Europe/Berlin }
  overlap: skip
  task:
    kind: exec
    input: { command: [./report.sh] }

  outlast schedule preview nightly.yaml
  outlast schedule put nightly.yaml
`;

export function scheduleCommand(program: Command): void {
  const schedule = program.command("schedule").addHelpText("after", examples);
  const named = (name: string, description: string): Command =>
    schedule.command(name).description(description).argument("<name>", "the schedule", idArgument);
  schedule
    .command("put")
    .description("put a schedule in place of the one of its name; no tick fires again")
    .argument("<file>", "a YAML or JSON file; - is stdin")
    .option("--name <name>", "the schedule's name, if the file does not say it", idArgument)
    .action(action(put));
  importCommand(schedule);
  schedule.command("ls").description("list the schedules").action(action(list));
  named("show", "show a schedule, its next tick and the ticks that it skipped").action(action(show));
  named("pause", "skip the ticks of a schedule until it is resumed").action(
    action((context, name: string) => change(context, name, "pause", "is paused")),
  );
  named("resume", "make tasks at the ticks of a schedule again").action(
    action((context, name: string) => change(context, name, "resume", "goes on")),
  );
  named("trigger", "run the task of a schedule now, besides its ticks")
    .option("--key <key>", "idempotency key: triggering twice with the same key creates the task once", keyArgument)
    .action(action(trigger));
  named("rm", "remove a schedule; its tasks stay, and its ticks never fire again").action(
    action((context, name: string) => change(context, name, "remove", "is removed")),
  );
  named("backfill", "make the tasks of past ticks that have none; none is made twice")
    .requiredOption("--from <time>", "the first instant, such as 2027-01-31T08:00Z", instant)
    .option("--to <time>", "the last one; up to now if left out", instant)
    .option("--dry-run", "only show what would be made", false)
    .action(action(backfill));
  schedule
    .command("preview")
    .description("show the next ticks of a schedule, or of a file before it is put")
    .argument("<file-or-name>", "a YAML or JSON file, or the name of a schedule")
    .option("--count <n>", "how many", wholeNumber(1, limits.previewTicksMax), 10)
    .option("--from <time>", "the first instant, such as 2027-03-28T00:00Z; from now on if left out", instant)
    .action(action(preview));
}

async function put(context: Context, file: string, flags: { readonly name?: string }): Promise<undefined> {
  const { name: own, content } = await readScheduleFile(file);
  const name = nameOf("schedule", flags.name ?? own);
  const client = await context.client();
  const { output, signal } = context;
  const answer = await client.schedules.put(name, content, { signal });
  if (output.isJson) return output.document(answer) as undefined;
  output.line(`${name} next tick: ${answer.nextAt === null ? "none" : formatInstantWithOffset(answer.nextAt)}`);
  if (!answer.isNew) output.note("It said the same before.");
}

async function list(context: Context): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const schedules: ScheduleView[] = [];
  for await (const schedule of client.schedules.list({ signal })) schedules.push(schedule);
  if (output.isJson) return output.document({ schedules }) as undefined;
  if (schedules.length === 0) return output.note("There are no schedules yet.") as undefined;
  output.table(columns, schedules);
}

const columns: readonly Column<ScheduleView>[] = [
  { title: "SCHEDULE", text: ({ name }) => name },
  { title: "WHEN", text: ({ content }) => printable(whenText(content.when)), isElastic: true },
  { title: "NEXT", text: nextText, colour: ({ isPaused }) => (isPaused ? "yellow" : null) },
  { title: "FIRED", text: ({ fired }) => String(fired), isRightAligned: true },
  { title: "WAITING", text: ({ queued }) => String(queued.length), isRightAligned: true },
];

function nextText({ isPaused, nextAt }: ScheduleView): string {
  if (isPaused) return "paused";
  return nextAt === null ? "none" : formatInstantWithOffset(nextAt);
}

async function show(context: Context, name: string): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const schedule = await client.schedules.get(name, { signal });
  if (output.isJson) return output.document(schedule) as undefined;
  const row = (label: string, value: string): void =>
    output.line(`${output.paint("dim", label.padEnd(11))} ${printable(value)}`);
  const { content, origin, queued, skipped } = schedule;
  row("schedule", name);
  if (content.description !== undefined) row("about", content.description);
  row("when", whenText(content.when));
  row("next", nextText(schedule));
  if (origin !== undefined) row("template", `${origin.template}, version ${origin.version}`);
  if (content.task !== undefined) row("task", JSON.stringify(content.task));
  row("overlap", content.overlap ?? "allow");
  row("missed", content.missed ?? "latest");
  row("fired", String(schedule.fired));
  if (queued.length > 0) row("waiting", queued.map(formatInstantWithOffset).join(", "));
  for (const { from, to, reason } of skipped) {
    row(
      "skipped",
      `${formatInstantWithOffset(from)}${to === from ? "" : ` to ${formatInstantWithOffset(to)}`}: ${reason}`,
    );
  }
}

async function change(
  context: Context,
  name: string,
  verb: "pause" | "resume" | "remove",
  result: string,
): Promise<undefined> {
  const client = await context.client();
  await client.schedules[verb](name, { signal: context.signal });
  if (context.output.isJson) context.output.document({ name, done: verb });
  else context.output.line(`${name} ${result}`);
}

async function trigger(context: Context, name: string, flags: { readonly key?: string }): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const task = await client.schedules.trigger(name, { signal, ...flags });
  if (output.isJson) output.document(task);
  else output.line(task.id);
}

interface PreviewFlags {
  readonly count: number;
  readonly from?: number;
}

async function preview(context: Context, source: string, flags: PreviewFlags): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  // Names of schedules may hold dots, too.
  const isFile = source === "-" || /\/|\.(ya?ml|json)$/.test(source);
  const { name, content } = isFile ? await readScheduleFile(source) : await client.schedules.get(source, { signal });
  const options = { signal, ...flags, ...(name !== undefined && { name: nameOf("schedule", name) }) };
  const { ticks, warnings } = await client.schedules.preview(content, options);
  if (output.isJson) return output.document({ ticks, warnings }) as undefined;
  if (ticks.length === 0) return output.note("No tick follows.") as undefined;
  for (const { utc, local, clocks } of ticks) {
    output.line(`${utc}  ${local}${clocks === undefined ? "" : `  the clocks ${clocks}`}`);
  }
  for (const warning of warnings) output.note(warning);
}

interface BackfillFlags {
  readonly from: number;
  readonly to?: number;
  readonly dryRun: boolean;
}

async function backfill(context: Context, name: string, { dryRun, ...span }: BackfillFlags): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const ticks: BackfilledTick[] = [];
  for await (const tick of client.schedules.backfill(name, { ...span, isDryRun: dryRun, signal })) {
    ticks.push(tick);
    if (!output.isJson) output.line(tick.id);
  }
  if (output.isJson) return output.document({ name, isDryRun: dryRun, ticks }) as undefined;
  const verb = dryRun ? "would be made" : "made";
  output.note(
    ticks.length === 0
      ? "No tick of that time lacks its task."
      : `${ticks.length} ${ticks.length === 1 ? "task" : "tasks"} ${verb}.`,
  );
}
