/** `outlast cancel`: ends tasks that are not final yet. */
import type { Command } from "commander";
import { OutlastError } from "../../model/errors.ts";
import { action, type Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { toFailure } from "../failure.ts";

export function cancelCommand(program: Command): void {
  program.command("cancel").argument("<id...>", "ids of the tasks").action(action(cancel));
}

/** One that cannot be cancelled does not keep the others from it. */
async function cancel(context: Context, ids: readonly string[]): Promise<ExitCode> {
  const client = await context.client();
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
