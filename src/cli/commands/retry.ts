/** `outlast retry`: opens tasks again that have failed or were cancelled. */
import type { Command } from "commander";
import { taskArgument } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { doEach } from "../eachTask.ts";
import type { ExitCode } from "../exitCodes.ts";

export function retryCommand(program: Command): void {
  program
    .command("retry")
    .argument("<id...>", "ids of the tasks", (id: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      taskArgument(id),
    ])
    .option("--from-scratch", "forget remembered steps and children; without it, only what failed runs again")
    .action(action(retry));
}

async function retry(
  context: Context,
  ids: readonly string[],
  { fromScratch = false }: { readonly fromScratch?: boolean },
): Promise<ExitCode> {
  const client = await context.client();
  return doEach(context, ids, async (id) => {
    const { reopened } = await client.retry(id, { fromScratch, signal: context.signal });
    return { result: { reopened }, text: describe(reopened) };
  });
}

function describe(reopened: number): string {
  if (reopened === 0) return "has not ended: nothing to do";
  return reopened === 1 ? "runs again" : `runs again, with ${reopened - 1} others of its family`;
}
