/** `outlast drain`: gives workers nothing more to do. */
import type { Command } from "commander";
import { action, type Context } from "../context.ts";

export function drainCommand(program: Command): void {
  program.command("drain").argument("<worker...>", "names of the workers").action(action(drain));
}

async function drain(context: Context, workers: readonly string[]): Promise<undefined> {
  const client = await context.client();
  const { output } = context;
  const drained: { id: string; isDraining: true }[] = [];
  for (const id of new Set(workers)) {
    await client.drain(id, { signal: context.signal });
    drained.push({ id, isDraining: true });
    if (!output.isJson) output.line(`${id} drains`);
  }
  if (output.isJson) output.document({ workers: drained });
}
