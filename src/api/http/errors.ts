/** Converts everything that is thrown into the error format of the API. Bugs are logged with their stack. */
import type { FastifyError } from "fastify";
import { type ErrorDetails, errorStatus, OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { StoreUnavailable } from "../../ports/store.ts";

export interface ErrorAnswer {
  readonly status: number;
  readonly error: OutlastError;
  /** True for a bug: it must be logged with its stack. */
  readonly isBug: boolean;
}

/**
 * @param request the id of the request in the log
 * @param bodyLimit the name of the route's body limit
 */
export function toAnswer(thrown: unknown, request: string, bodyLimit: keyof typeof limits): ErrorAnswer {
  if (thrown instanceof OutlastError) return answer(thrown);
  if (thrown instanceof StoreUnavailable) {
    return answer(
      new OutlastError("unavailable", "The store cannot be reached.", { reason: thrown.reason, hint: "Try again." }),
    );
  }
  const known = fromFramework(thrown, bodyLimit);
  if (known !== null) return answer(known);
  const details: ErrorDetails = { request, hint: "See the master's log under this request id." };
  return {
    status: errorStatus.internal,
    isBug: true,
    error: new OutlastError("internal", "Internal error in the master.", details),
  };
}

function answer(error: OutlastError): ErrorAnswer {
  return { status: errorStatus[error.code], error, isBug: error.code === "internal" };
}

/** Errors of the HTTP framework itself. */
function fromFramework(thrown: unknown, bodyLimit: keyof typeof limits): OutlastError | null {
  if (!(thrown instanceof Error)) return null;
  const { code, statusCode } = thrown as Partial<FastifyError>;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new OutlastError("too-large", `The body is larger than ${limits[bodyLimit]} bytes.`, { limit: bodyLimit });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new OutlastError("unsupported-media", "Unsupported content type.", {
        hint: "Send the body as content-type: application/json.",
      });
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new OutlastError("bad-request", "The body does not have the length that content-length says.");
    case "FST_ERR_BAD_URL":
      return new OutlastError("bad-request", "Malformed URL.");
    // The client disconnected in the middle of its body; nobody reads this answer.
    case "ECONNRESET":
      return new OutlastError("bad-request", "The body ended too early.");
    default: {
      const isClientsFault = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
      return isClientsFault ? new OutlastError("bad-request", "Malformed request.") : null;
    }
  }
}
