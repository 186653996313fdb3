/** Takes the trace that a request belongs to over to the tasks that it creates. */
import type { FastifyRequest } from "fastify";
import { isTraceparent } from "../../model/trace.ts";
import type { Tracing } from "../../ports/tracing.ts";

/** Whatever else stands in the header is passed over, as the standard wants. */
function traceparentOf({ headers }: FastifyRequest): string | null {
  const { traceparent } = headers;
  return isTraceparent(traceparent) ? traceparent : null;
}

/**
 * Calls `submit` with the trace that new tasks belong to: that of the caller or, where spans are collected, that of the submission,
 * which is a part of it.
 * @param what names the submission, for people
 */
export async function traceSubmission<Submitted>(
  request: FastifyRequest,
  tracing: Tracing | null,
  what: string,
  submit: (traceparent: string | undefined) => Promise<Submitted>,
): Promise<Submitted> {
  const given = traceparentOf(request);
  if (tracing === null) return submit(given ?? undefined);
  const span = tracing.begin(`submit ${what}`, given, { kind: "server" });
  try {
    const submitted = await submit(span.traceparent);
    span.end();
    return submitted;
  } catch (error) {
    span.end(error instanceof Error ? error.message : String(error));
    throw error;
  }
}
