/** Does something with each of some tasks, one after the other. One that cannot be done does not keep the others from it. */
import { OutlastError } from "../model/errors.ts";
import type { Context } from "./context.ts";
import { type ExitCode, exitCodes } from "./exitCodes.ts";
import { toFailure } from "./failure.ts";

/** What was done: for machines and, in a few words, for people. */
export interface Done {
  readonly result: object;
  readonly text: string;
}

/** @returns the exit code of the last that could not be done */
export async function doEach(
  { output }: Context,
  ids: readonly string[],
  act: (id: string) => Promise<Done>,
): Promise<ExitCode> {
  let worst: ExitCode = exitCodes.ok;
  const results: object[] = [];
  for (const id of new Set(ids)) {
    try {
      const { result, text } = await act(id);
      results.push({ id, ...result });
      if (!output.isJson) output.line(`${id} ${output.paint("dim", text)}`);
    } catch (error) {
      if (!(error instanceof OutlastError)) throw error;
      const failure = toFailure(error);
      if (failure.exitCode === exitCodes.unreachable) throw error;
      worst = failure.exitCode;
      results.push({ id, error: failure.body });
      if (!output.isJson) output.complain(`${id}: ${failure.message ?? ""}`, failure.hint);
    }
  }
  if (output.isJson) output.document({ tasks: results });
  return worst;
}
