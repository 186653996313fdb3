/** What a submission from the command line takes besides its tasks. */
import type { SubmitOptions } from "../sdk/callOptions.ts";
import type { Context } from "./context.ts";

/** Inside of an attempt, and in other programs that take part in traces, TRACEPARENT names what this submission belongs to. */
export function keyAndSignal({ signal }: Context, { key }: { readonly key?: string }): SubmitOptions {
  const traceparent = process.env["TRACEPARENT"];
  return { signal, ...(key !== undefined && { key }), ...(traceparent !== undefined && { traceparent }) };
}
