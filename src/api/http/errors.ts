/** Turns whatever was thrown into the one shape of error that callers see; what is our own fault goes to the log whole. */
import type { FastifyError } from "fastify";
import { type ErrorDetails, errorStatus, OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { StoreUnavailable } from "../../ports/store.ts";

export interface ErrorAnswer {
  readonly status: number;
  readonly error: OutlastError;
  /** Not the caller's doing: to be logged with its stack. */
  readonly isBug: boolean;
}

/**
 * @param request names the request in the log, so that a report of the error can be found there
 * @param bodyLimit the name of the bound that the route puts on its body
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
  const details: ErrorDetails = { request, hint: "The master's log has more, under this request." };
  return {
    status: errorStatus.internal,
    isBug: true,
    error: new OutlastError("internal", "Something broke inside the master.", details),
  };
}

function answer(error: OutlastError): ErrorAnswer {
  return { status: errorStatus[error.code], error, isBug: error.code === "internal" };
}

/** What the HTTP framework refuses by itself, before any route is asked. */
function fromFramework(thrown: unknown, bodyLimit: keyof typeof limits): OutlastError | null {
  if (!(thrown instanceof Error)) return null;
  const { code, statusCode } = thrown as Partial<FastifyError>;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new OutlastError("too-large", `The body is larger than ${limits[bodyLimit]} bytes.`, { limit: bodyLimit });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new OutlastError("unsupported-media", "The body is of a type that is not taken here.", {
        hint: "Send it as content-type: application/json.",
      });
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new OutlastError("bad-request", "The body is not as long as its content-length says.");
    case "FST_ERR_BAD_URL":
      return new OutlastError("bad-request", "The URL is not well formed.");
    // The sender hung up in the middle of its body; nobody is left to read this.
    case "ECONNRESET":
      return new OutlastError("bad-request", "The body ended too early.");
    default: {
      const isClientsFault = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
      return isClientsFault ? new OutlastError("bad-request", "The request is not well formed.") : null;
    }
  }
}
