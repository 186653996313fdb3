/** `outlast delete`: removes finished tasks, with their output, before their retention is over. */
import type { Command } from "commander";
import { type BulkFlags, bulkFilter, bulkOptions, printBulk } from "../bulk.ts";
import { action, type Context } from "../context.ts";
import type { ExitCode } from "../exitCodes.ts";

const examples = `
Tasks without a parent are meant, each with its whole family: all that is below it.

Examples:
  outlast delete --state failed --queue reports --dry-run
  outlast delete --state success --name nightly
`;

export function deleteCommand(program: Command): void {
  bulkOptions(program.command("delete")).addHelpText("after", examples).action(action(remove));
}

async function remove(context: Context, flags: BulkFlags): Promise<ExitCode> {
  const filter = bulkFilter(null, flags);
  const client = await context.client();
  const options = { isDryRun: flags.dryRun, signal: context.signal };
  return printBulk(context, client.bulk.delete(filter ?? {}, options), "deleted", flags.dryRun);
}
