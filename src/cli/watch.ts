/** `outlast ls --watch`: a live table in a terminal, a line for each change everywhere else. */
import { limits } from "../model/limits.ts";
import type { TaskDocument } from "../model/task.ts";
import type { Outlast } from "../sdk/client.ts";
import type { OutlastEvent, TaskChange } from "../sdk/events.ts";
import { taskColours } from "./colour.ts";
import type { Context } from "./context.ts";
import { formatInstant } from "./duration.ts";
import { type ListFlags, toFilter } from "./flags.ts";
import { Screen } from "./screen.ts";
import { tableLines } from "./table.ts";
import { countsText, taskColumns } from "./taskText.ts";
import { printable } from "./terminalText.ts";

export function watch(context: Context, flags: ListFlags): Promise<undefined> {
  const isLive = context.output.isTerminal && !context.output.isJson;
  return isLive ? watchLive(context, flags) : watchLines(context, flags);
}

/** The table is read again after changes, but not more often than this. */
const refreshMsMin = 200;
/** The ages of tasks are redrawn this often. */
const redrawMs = 1000;
/** Lines around the table. */
const frameLines = 4;

interface Picture {
  tasks: readonly TaskDocument[];
  counts: { readonly [state: string]: number };
  trouble: string | null;
}

async function watchLive(context: Context, flags: ListFlags): Promise<undefined> {
  const picture: Picture = { tasks: [], counts: {}, trouble: null };
  const client = await context.client({
    onRetry: ({ error }) => {
      picture.trouble = error.message;
    },
  });
  await look(client, context, flags, picture);
  const screen = new Screen(process.stdout);
  const draw = () => screen.draw(toLines(context, picture, screen.rows));
  const timer = setInterval(draw, redrawMs);
  try {
    screen.open(draw);
    draw();
    await lookAfterChanges(client, context, flags, picture, draw);
  } finally {
    clearInterval(timer);
    screen.close(toPicture(context, picture, Number.POSITIVE_INFINITY));
  }
}

/** Reads the list again after each change. Rejects with the signal's reason when it is aborted. */
async function lookAfterChanges(
  client: Outlast,
  context: Context,
  flags: ListFlags,
  picture: Picture,
  draw: () => void,
): Promise<never> {
  let isStale = true;
  let wake = () => {};
  const looking = (async (): Promise<never> => {
    const { pause } = await import("../sdk/backoff.ts");
    for (;;) {
      if (!isStale) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          context.signal.addEventListener("abort", () => resolve(), { once: true });
        });
        context.signal.throwIfAborted();
      }
      isStale = false;
      await look(client, context, flags, picture);
      draw();
      await pause(refreshMsMin, context.signal);
    }
  })();
  const listening = (async (): Promise<never> => {
    for await (const _seq of client.positions({ signal: context.signal })) {
      isStale = true;
      wake();
    }
    throw new Error("The stream of events has ended.");
  })();
  return Promise.race([looking, listening]);
}

async function look(client: Outlast, context: Context, flags: ListFlags, picture: Picture): Promise<void> {
  const { signal } = context;
  const limit = Math.max(1, Math.min(flags.limit, process.stdout.rows - frameLines, limits.pageMax));
  const [page, status] = await Promise.all([
    client.list({ ...toFilter(flags), limit, signal }),
    client.status({ signal }),
  ]);
  picture.tasks = page.tasks;
  picture.counts = status.stats.tasks;
  picture.trouble = status.trouble;
}

/** The table, and a status line below it. */
function toLines(context: Context, picture: Picture, rows: number): string[] {
  const { paint } = context.output;
  const last =
    picture.trouble === null
      ? paint("dim", "Ctrl-C stops watching; the tasks continue.")
      : paint("red", `${printable(picture.trouble)} Retrying …`);
  return [...toPicture(context, picture, rows), "", last];
}

function toPicture(context: Context, picture: Picture, rows: number): string[] {
  const { paint, columnsMax } = context.output;
  const table = tableLines(taskColumns(Date.now()), picture.tasks, paint, columnsMax);
  return [countsText(picture.counts, paint), "", ...table.slice(0, Math.max(1, rows - frameLines + 1))];
}

/** Fields that never change are only in a task's first event. For older tasks they are read once. */
interface Known extends Pick<TaskDocument, "name" | "queue"> {
  /** The last line that was printed, so that an invisible change prints nothing. */
  shown?: string;
}

async function watchLines(context: Context, flags: ListFlags): Promise<undefined> {
  const client = await context.client();
  const known = new Map<string, Known>();
  const filter = flags.state === undefined ? {} : { states: flags.state };
  for await (const event of client.events({ ...filter, signal: context.signal })) {
    if (event.kind === "task") await showChange(context, flags, client, known, event);
    else if (event.kind === "reset") {
      if (context.output.isJson) context.output.jsonLine(event);
      else context.output.note("Some changes were missed while disconnected.");
    }
  }
}

async function showChange(
  context: Context,
  flags: ListFlags,
  client: Outlast,
  known: Map<string, Known>,
  event: Extract<OutlastEvent, { kind: "task" }>,
): Promise<void> {
  const { task } = event;
  const facts = known.get(task.id) ?? (await factsOf(context, client, task));
  if (facts === null) return;
  if (task.state === "success" || task.state === "failed" || task.state === "cancelled") known.delete(task.id);
  else if (known.size < limits.pageMax) known.set(task.id, facts);
  if (flags.state !== undefined && !flags.state.includes(task.state)) return;
  if (flags.queue !== undefined && flags.queue !== facts.queue) return;
  if (flags.name !== undefined && flags.name !== facts.name) return;
  if (flags.host !== undefined && flags.host !== task.host) return;

  const { output } = context;
  if (output.isJson) return output.jsonLine({ ...event, task: { ...task, name: facts.name, queue: facts.queue } });
  const colour = taskColours[task.state];
  const words = [
    task.id,
    ...(facts.name === task.id ? [] : [printable(facts.name)]),
    colour === null ? task.state : output.paint(colour, task.state),
    ...(task.attempt === 0 ? [] : [`attempt ${task.attempt}`]),
    ...(task.host === undefined ? [] : [`on ${task.host}`]),
    ...(task.error === undefined || task.state === "success" ? [] : [`(${printable(task.error.message)})`]),
  ].join(" ");
  // An assignment and its start are two entries, but one change for the user.
  if (facts.shown !== words) output.line(`${formatInstant(event.at)} ${words}`);
  facts.shown = words;
}

async function factsOf(context: Context, client: Outlast, task: TaskChange): Promise<Known | null> {
  if (task.name !== undefined && task.queue !== undefined) return { name: task.name, queue: task.queue };
  const { OutlastError } = await import("../model/errors.ts");
  try {
    const { name, queue } = await client.get(task.id, { signal: context.signal });
    return { name, queue };
  } catch (error) {
    // It has ended and was removed meanwhile.
    if (error instanceof OutlastError && error.code === "not-found") return null;
    throw error;
  }
}
