/** `outlast cancel`: ends tasks that are not final yet. */
import type { Command } from "commander";
import { type BulkFlags, bulkFilter, bulkOptions, familyOptions, printBulk } from "../bulk.ts";
import { action, type Context } from "../context.ts";
import { doEach } from "../eachTask.ts";
import type { ExitCode } from "../exitCodes.ts";
import { idsOfNodes, nodesArgument } from "../nodePlace.ts";

export function cancelCommand(program: Command): void {
  familyOptions(
    bulkOptions(
      program.command("cancel").argument("[id...]", "ids of the tasks, or GRAPH/NODE; or a filter", nodesArgument),
    ),
  )
    .addHelpText("after", examples)
    .action(action(cancel));
}

const examples = `
Examples:
  outlast cancel --queue reports --dry-run
  outlast cancel --queue reports --state created,retrying
  outlast cancel --parent nightly-7
  outlast cancel nightly/load
`;

async function cancel(context: Context, ids: readonly string[], flags: BulkFlags): Promise<ExitCode> {
  const filter = bulkFilter(ids, flags);
  const client = await context.client();
  if (filter !== null) {
    const options = { isDryRun: flags.dryRun, signal: context.signal };
    return printBulk(context, client.bulk.cancel(filter, options), "cancelled", flags.dryRun);
  }
  return doEach(context, await idsOfNodes(client, ids, context.signal), async (id) => {
    await client.cancel(id, { signal: context.signal });
    return { result: { state: "cancelled" }, text: "cancelled" };
  });
}
