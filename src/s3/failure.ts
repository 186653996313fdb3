/** What went wrong with a request to S3, as its callers tell it apart. Says nothing that the SDK knows of credentials. */

/**
 * - `absent`: there is no such object.
 * - `changed`: a condition of the request does not hold: the object exists, or is another one.
 * - `conflict`: another request was changing the object at the same time.
 * - `full`: there is no room.
 * - `refused`: this request fails as often as it is made: credentials, rights, a missing bucket.
 * - `away`: nobody answered, or the answer was to come later.
 */
export type S3FailureKind = "absent" | "changed" | "conflict" | "full" | "refused" | "away";

export class S3Failure extends Error {
  override readonly name = "S3Failure";
  readonly kind: S3FailureKind;
  /** What the server calls it: `NoSuchBucket`, `SlowDown`; or the name of the error of the connection. */
  readonly code: string;

  constructor(kind: S3FailureKind, code: string, message: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** What the SDK says here names all the places where it has looked. */
const unknownHere =
  "no credentials or no region are known here. Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or a profile; MapReduce jobs see those of their worker only if it was started with --jobs-use-s3.";

const fullCodes = /^(QuotaExceeded|InsufficientStorage\w*|XMinioStorageFull|StorageFull|EntityQuotaExceeded)$/;

/**
 * @param place the bucket, for people
 * @returns an `S3Failure`; what is none of S3's errors as it is
 */
export function toS3Failure(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || error instanceof S3Failure) return error;
  const { $metadata: answer, code: systemCode } = error as {
    $metadata?: { httpStatusCode?: number };
    code?: string;
  };
  const status = answer?.httpStatusCode;
  if (error.name === "CredentialsProviderError" || error.message === "Region is missing") {
    return new S3Failure("refused", error.name, `${place} cannot be used: ${unknownHere}`);
  }
  const code = error.name === "Error" ? (systemCode ?? error.name) : error.name;
  const kind = kindOf(status, code, answer !== undefined || systemCode !== undefined);
  if (kind === null) return error;
  return new S3Failure(kind, code, `${place} ${sentence(kind, status, code, error.message)}`);
}

function kindOf(status: number | undefined, code: string, isOfRequest: boolean): S3FailureKind | null {
  if (code === "TokenProviderError") return "refused";
  if (fullCodes.test(code) || status === 507) return "full";
  if (status === undefined) return isOfRequest || code === "TimeoutError" ? "away" : null;
  // The upload was ended before: perhaps by this very request, whose answer was lost.
  if (code === "NoSuchUpload") return "conflict";
  if (status === 404) return code === "NoSuchBucket" ? "refused" : "absent";
  if (status === 412 || status === 304) return "changed";
  if (status === 409) return "conflict";
  // An answer of success that was cut off, or one that is not S3's.
  if (status < 300 || status === 408 || status === 429 || (status >= 500 && status !== 501)) return "away";
  return "refused";
}

function sentence(kind: S3FailureKind, status: number | undefined, code: string, message: string): string {
  const said = /^(UnknownError|Unknown)?$/.test(message) ? "" : `: ${message.trim().replace(/\.$/, "")}`;
  const what = status === undefined ? code : `${status} ${code}`;
  if (kind === "full") return `is full (${what}).`;
  if (kind === "away") return `cannot be reached (${what}${said}).`;
  if (status === undefined) return `cannot be used (${code}${said}).`;
  return `answered ${what}${said}.`;
}
