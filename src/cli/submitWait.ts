/** `outlast submit --wait`: waits until the submitted tasks have ended, and reports how. */
import { OutlastError } from "../model/errors.ts";
import { defaults, limits } from "../model/limits.ts";
import type { TaskDocument } from "../model/task.ts";
import { isOwnReason, withAdvice } from "../model/waiting.ts";
import type { Submitted } from "../sdk/callOptions.ts";
import type { Outlast } from "../sdk/client.ts";
import type { Context } from "./context.ts";
import { formatDuration } from "./duration.ts";
import { type ExitCode, exitCodes } from "./exitCodes.ts";
import { Exit } from "./failure.ts";
import { endText } from "./taskText.ts";
import { cut, printable } from "./terminalText.ts";

export async function waitForAll(
  context: Context,
  client: Outlast,
  submitted: readonly Submitted[],
  isMany: boolean,
): Promise<ExitCode> {
  const { output, signal } = context;
  let isFailed = false;
  const onForgotten = (id: string) => {
    isFailed = true;
    const message = `How task ${id} ended is not known: it was removed by retention before its end could be read.`;
    if (output.isJson) output.jsonLine({ id, error: { code: "not-found", message } });
    else output.complain(message);
  };
  const ids = submitted.map((task) => task.id);
  const hint = setTimeout(() => void tellWhyNot(context, client, ids), defaults.waitHintMs);
  try {
    for await (const task of client.waitAll(ids, { signal, onForgotten })) {
      if (task.state !== "success") isFailed = true;
      if (!output.isJson) await tellEnd(context, client, task, isMany);
      else if (isMany) output.jsonLine(task);
      else output.document(task);
    }
  } catch (error) {
    if (error instanceof Exit)
      output.note("Stopped waiting; the tasks continue. `outlast ls` lists them, `outlast cancel` cancels them.");
    throw error;
  } finally {
    clearTimeout(hint);
  }
  return isFailed ? exitCodes.failed : exitCodes.ok;
}

/** Whoever waits for a task that nobody can run, such as one of a kind with a typing error, would wait in silence. */
async function tellWhyNot({ output, signal }: Context, client: Outlast, ids: readonly string[]): Promise<void> {
  const [id] = ids;
  if (id === undefined) return;
  // That it cannot be told holds nothing up.
  const task = await client.get(id, { leader: true, signal }).catch(() => null);
  if (task?.waiting === undefined || isOwnReason(task.waiting.reason)) return;
  output.note(`${id} waits: ${printable(withAdvice(task.waiting)).replace(/^waits /, "")}`);
}

/** How a task ended, and for a single command or handler the end of its output. */
async function tellEnd(context: Context, client: Outlast, task: TaskDocument, isMany: boolean): Promise<void> {
  const { output, signal } = context;
  const took = task.startedAt === undefined || task.endedAt === undefined ? null : task.endedAt - task.startedAt;
  output.note(`${endText(task)}${took === null ? "" : ` (took ${formatDuration(Math.max(0, took))})`}`);
  if (isMany || task.kind === "sleep" || task.attempt === 0) return;
  try {
    const { lines, isWhole } = await endOfOutput(client, task, signal);
    if (!isWhole) output.note("  │ …");
    for (const line of lines) output.note(`  │ ${printable(line)}`);
    if (task.kind !== "exec" && task.output !== undefined)
      output.note(`  Result: ${cut(JSON.stringify(task.output), limits.waitResultCharactersMax)}`);
    if (lines.length > 0) output.note(`All of its output: outlast logs ${task.id}`);
  } catch (error) {
    // How the task ended is known and stays the result.
    if (!(error instanceof OutlastError)) throw error;
    output.note(`Its output cannot be read: ${error.message}`);
  }
}

/** The last lines of the attempt's output. Follows the log, because its last bytes may arrive after the task's end. */
async function endOfOutput(
  client: Outlast,
  task: TaskDocument,
  signal: AbortSignal,
): Promise<{ readonly lines: readonly string[]; readonly isWhole: boolean }> {
  const offset = Math.max(0, (task.logBytes ?? 0) - limits.waitTailBytesMax);
  const decoder = new TextDecoder();
  let text = "";
  for await (const item of client.follow(task.id, { attempt: task.attempt, offset, signal })) {
    if (item.kind === "attempt") break;
    if (item.kind === "log") text += decoder.decode(item.bytes, { stream: true });
  }
  const lines = text.trimEnd() === "" ? [] : text.trimEnd().split("\n");
  // The first line may be cut in its middle where the log is longer than what was read.
  const complete = offset > 0 && lines.length > 1 ? lines.slice(1) : lines;
  const shown = complete.slice(-limits.waitTailLinesMax);
  return { lines: shown, isWhole: offset === 0 && shown.length === lines.length };
}
