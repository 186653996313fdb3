/** `outlast cancel`: ends tasks that are not final yet. */
import type { Command } from "commander";
import { OutlastError } from "../../model/errors.ts";
import { type BulkFlags, bulkFilter, bulkOptions, printBulk } from "../bulk.ts";
import { action, type Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { toFailure } from "../failure.ts";

export function cancelCommand(program: Command): void {
  bulkOptions(program.command("cancel").argument("[id...]", "ids of the tasks; or a filter"))
    .addHelpText("after", examples)
    .action(action(cancel));
}

const examples = `
Examples:
  outlast cancel --queue reports --dry-run
  outlast cancel --queue reports --state created,retrying
`;

/** One that cannot be cancelled does not keep the others from it. */
async function cancel(context: Context, ids: readonly string[], flags: BulkFlags): Promise<ExitCode> {
  const filter = bulkFilter(ids, flags);
  const client = await context.client();
  if (filter !== null) {
    const options = { isDryRun: flags.dryRun, signal: context.signal };
    return printBulk(context, client.bulk.cancel(filter, options), "cancelled", flags.dryRun);
  }
  const { output } = context;
  let worst: ExitCode = exitCodes.ok;
  const results: { id: string; state?: string; error?: object }[] = [];
  for (const id of new Set(ids)) {
    try {
      await client.cancel(id, { signal: context.signal });
      results.push({ id, state: "cancelled" });
      if (!output.isJson) output.line(`${id} ${output.paint("dim", "cancelled")}`);
    } catch (error) {
      if (!(error instanceof OutlastError)) throw error;
      const failure = toFailure(error);
      if (failure.exitCode === exitCodes.unreachable) throw error;
      worst = failure.exitCode;
      results.push({ id, error: failure.body });
      if (!output.isJson) output.complain(`${id}: ${failure.message ?? ""}`);
    }
  }
  if (output.isJson) output.document({ tasks: results });
  return worst;
}
