/** `outlast retry`: opens tasks again that have failed or were cancelled. */
import type { Command } from "commander";
import { counted } from "../../model/counted.ts";
import { type BulkFlags, bulkFilter, bulkOptions, familyOptions, printBulk } from "../bulk.ts";
import { action, type Context } from "../context.ts";
import { doEach } from "../eachTask.ts";
import type { ExitCode } from "../exitCodes.ts";
import { UsageError } from "../failure.ts";
import { idsOfNodes, nodesArgument } from "../nodePlace.ts";

interface RetryFlags extends BulkFlags {
  readonly fromScratch?: boolean;
}

const examples = `
A filter without --state means tasks that failed.

Examples:
  outlast retry --state failed --queue reports --dry-run
  outlast retry --name nightly --state failed,cancelled
`;

export function retryCommand(program: Command): void {
  familyOptions(
    bulkOptions(
      program.command("retry").argument("[id...]", "ids of the tasks, or GRAPH/NODE; or a filter", nodesArgument),
    ),
  )
    .option("--from-scratch", "forget remembered steps and children; without it, only what failed runs again")
    .addHelpText("after", examples)
    .action(action(retry));
}

async function retry(context: Context, ids: readonly string[], flags: RetryFlags): Promise<ExitCode> {
  const { fromScratch = false, dryRun } = flags;
  const filter = bulkFilter(ids, flags);
  if (filter !== null && fromScratch)
    throw new UsageError("--from-scratch is for ids.", "Name the tasks that are to begin from scratch.");
  const client = await context.client();
  if (filter !== null) {
    const options = { isDryRun: dryRun, signal: context.signal };
    return printBulk(context, client.bulk.retry(filter, options), "retried", dryRun);
  }
  return doEach(context, await idsOfNodes(client, ids, context.signal), async (id) => {
    const { reopened } = await client.retry(id, { fromScratch, signal: context.signal });
    return { result: { reopened }, text: describe(reopened) };
  });
}

function describe(reopened: number): string {
  if (reopened === 0) return "has not ended: nothing to do";
  return reopened === 1 ? "runs again" : `runs again, with ${counted(reopened - 1, "other")} of its family`;
}
