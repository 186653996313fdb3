/** `outlast show`: everything there is to know of one task. */
import type { Command } from "commander";
import type { AttemptRecord } from "../../model/attemptRecord.ts";
import { limits } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { Outlast } from "../../sdk/client.ts";
import type { RememberedStep } from "../../sdk/taskViews.ts";
import { action, type Context } from "../context.ts";
import { idOfNode, nodeArgument } from "../nodePlace.ts";

export function showCommand(program: Command): void {
  program.command("show").argument("<id>", "id of the task, or GRAPH/NODE", nodeArgument).action(action(show));
}

async function show(context: Context, place: string): Promise<undefined> {
  const client = await context.client();
  const { signal, output } = context;
  const task = await client.get(await idOfNode(client, place, signal), { leader: true, signal });
  const stepsMax = output.isJson ? limits.stepsMax : limits.rowsShownMax;
  const [attempts, steps] = await Promise.all([
    readAttempts(client, task, signal),
    readSteps(client, task, stepsMax, signal),
  ]);
  if (output.isJson) {
    const more = { ...(attempts.length > 0 && { attempts }), ...(steps.length > 0 && { steps }) };
    return output.document({ ...task, ...more }) as undefined;
  }
  const { attemptColumns, stepColumns, taskPage } = await import("../taskText.ts");
  const now = Date.now();
  for (const line of taskPage(task, output.paint, now)) output.line(line);
  if (steps.length > 0) {
    output.line();
    output.table(stepColumns(now), steps);
    noteRest(context, (task.family?.steps ?? 0) - steps.length, "more steps");
  }
  if (attempts.length === 0) return;
  const shown = attempts.slice(-limits.rowsShownMax);
  output.line();
  output.table(attemptColumns(now, attempts), shown);
  noteRest(context, task.attempt - shown.length, "earlier attempts");
}

function noteRest({ output }: Context, count: number, what: string): void {
  if (count > 0) output.note(`${count} ${what}; --json prints what is kept of them.`);
}

/** A task with one attempt needs no list: its page says all of it, unless the attempt was given up and its process went on. */
async function readAttempts(client: Outlast, task: TaskDocument, signal: AbortSignal): Promise<AttemptRecord[]> {
  const attempts: AttemptRecord[] = [];
  if (task.attempt === 0 || (task.attempt === 1 && task.isRecorded !== true)) return attempts;
  for await (const each of client.views.attempts(task.id, { signal })) attempts.push(each);
  return task.attempt > 1 || attempts.some(({ processEndedAt }) => processEndedAt !== undefined) ? attempts : [];
}

async function readSteps(
  client: Outlast,
  { id, family }: TaskDocument,
  max: number,
  signal: AbortSignal,
): Promise<RememberedStep[]> {
  const steps: RememberedStep[] = [];
  if ((family?.steps ?? 0) === 0) return steps;
  for await (const step of client.views.steps(id, { signal })) {
    if (steps.length === max) break;
    steps.push(step);
  }
  return steps;
}
