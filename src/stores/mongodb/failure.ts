/** What the driver's errors mean for a store: a duplicate key, an outcome that nobody knows, or a server that must not be used. */
import { StoreRefused, StoreUnavailable } from "../../ports/store.ts";
import { type MongodbAddress, withoutSecrets } from "./address.ts";

/** As far as errors of the driver are looked at. Their classes are not imported: the driver is loaded only when it is used. */
interface DriverError extends Error {
  readonly code?: number | string;
  readonly codeName?: string;
  readonly result?: { readonly writeErrors?: unknown };
  readonly writeErrors?: unknown;
}

const duplicateKey = 11000;
/** Unauthorized, AuthenticationFailed. */
const refusedCodes: ReadonlySet<unknown> = new Set([13, 18, 8000]);
/** OutOfDiskSpace. */
const fullCodes: ReadonlySet<unknown> = new Set([14031]);
/** MaxTimeMSExpired, WriteConcernTimeout and the driver's own: the operation may still be carried out. */
const timeoutCodes: ReadonlySet<unknown> = new Set([50, 64, 202, 262]);

/**
 * True if a single insert was refused because its `_id` is taken, and nothing else went wrong. With a write concern error beside it,
 * the document that refused it may not be on a majority: that outcome is unknown.
 */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && error.name === "MongoServerError" && (error as DriverError).code === duplicateKey;
}

/** The places in a bulk of those whose `_id` was taken; null if anything else went wrong as well. */
export function duplicatesOf(error: unknown): number[] | null {
  if (!(error instanceof Error) || error.name !== "MongoBulkWriteError") return null;
  const { result } = error as Error & {
    readonly result?: {
      getWriteErrors?(): { readonly code: number; readonly index: number }[];
      getWriteConcernError?(): unknown;
    };
  };
  // `writeErrors` of the error itself is empty when a write concern failed too; the result always has them.
  const writeErrors = result?.getWriteErrors?.() ?? [];
  if (writeErrors.length === 0 || (result?.getWriteConcernError?.() ?? null) !== null) return null;
  if (writeErrors.some(({ code }) => code !== duplicateKey)) return null;
  return writeErrors.map(({ index }) => index);
}

/** The error that a caller of the store gets. Bugs and the store's own errors pass through. */
export function toStoreError(error: unknown, address: MongodbAddress): unknown {
  if (!(error instanceof Error) || error instanceof StoreRefused || error instanceof StoreUnavailable) return error;
  if (!error.name.startsWith("Mongo")) return error;
  const { code, codeName } = error as DriverError;
  const text = withoutSecrets(error.message, address);
  const said = codeName === undefined || text.includes(codeName) ? text : `${codeName}: ${text}`;
  if (refusedCodes.has(code)) {
    return new StoreRefused(
      `${address.name} refuses access: ${said}`,
      "Check the user name, the password and authSource, and that the user may read and write this database.",
    );
  }
  return new StoreUnavailable(reasonOf(error, code), `${address.name}: ${said}`);
}

function reasonOf({ name, message }: Error, code: unknown): string {
  if (fullCodes.has(code)) return "full";
  if (timeoutCodes.has(code) || /timed? ?out/i.test(`${name} ${message}`)) return "timeout";
  if (name === "MongoServerError" || name === "MongoBulkWriteError") return "server";
  return "network";
}
