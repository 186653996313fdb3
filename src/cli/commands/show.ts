/** `outlast show`: everything there is to know of one task. */
import type { Command } from "commander";
import { taskArgument } from "../arguments.ts";
import { action, type Context, impatient } from "../context.ts";

export function showCommand(program: Command): void {
  program.command("show").argument("<id>", "id of the task", taskArgument).action(action(show));
}

async function show(context: Context, id: string): Promise<undefined> {
  const client = await context.client();
  const { signal, output } = context;
  const task = await client.get(id, { signal });
  const { isWaiting, lookAround, whyWaiting } = await import("../waiting.ts");
  const around = isWaiting(task) ? await lookAround(await context.client(impatient), signal) : null;
  const waiting = whyWaiting(task, around, Date.now());
  if (output.isJson) return output.document(waiting === null ? task : { ...task, waiting }) as undefined;
  const { taskPage } = await import("../taskText.ts");
  for (const line of taskPage(task, output.paint, Date.now(), waiting)) output.line(line);
}
