/** `outlast retry`: opens tasks again that have failed or were cancelled. */
import type { Command } from "commander";
import { OutlastError } from "../../model/errors.ts";
import { taskArgument } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { toFailure } from "../failure.ts";

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

/** One that cannot be retried does not keep the others from it. */
async function retry(
  context: Context,
  ids: readonly string[],
  { fromScratch = false }: { readonly fromScratch?: boolean },
): Promise<ExitCode> {
  const client = await context.client();
  const { output } = context;
  let worst: ExitCode = exitCodes.ok;
  const results: { id: string; reopened?: number; error?: object }[] = [];
  for (const id of new Set(ids)) {
    try {
      const { reopened } = await client.retry(id, { fromScratch, signal: context.signal });
      results.push({ id, reopened });
      if (output.isJson) continue;
      const what =
        reopened === 0
          ? "has not ended: nothing to do"
          : reopened === 1
            ? "runs again"
            : `runs again, with ${reopened - 1} others of its family`;
      output.line(`${id} ${output.paint("dim", what)}`);
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
