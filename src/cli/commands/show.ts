/** `outlast show`: everything there is to know of one task. */
import type { Command } from "commander";
import { idArgument } from "../arguments.ts";
import { action, type Context } from "../context.ts";

export function showCommand(program: Command): void {
  program
    .command("show")
    .description("show one task")
    .argument("<id>", "the task's id", idArgument)
    .action(action(show));
}

async function show(context: Context, id: string): Promise<undefined> {
  const client = await context.client();
  const task = await client.get(id, { signal: context.signal });
  if (context.output.isJson) return context.output.document(task) as undefined;
  const { taskPage } = await import("../taskText.ts");
  for (const line of taskPage(task, context.output.paint, Date.now())) context.output.line(line);
}
