/** Reads the log of one attempt from any byte offset. Stores keep it in pieces. */
import type { MasterApi } from "../../master/service/masterApi.ts";
import type { AttemptsOfTask } from "../../master/service/taskViewApi.ts";
import { attemptRecordId } from "../../model/attemptRecord.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";

export interface LogPage {
  readonly chunks: readonly LogChunk[];
  /** So many bytes in front of these have not come, and what was written after them has. */
  readonly missingBytes: number;
  /** The offset of the next read; the requested offset if there is nothing yet. */
  readonly nextOffset: number;
  /** The log ends here because it had become too long. */
  readonly isTruncated: boolean;
}

/**
 * The page at `offset` of an attempt whose worker has reported how long its log is. A result may arrive before the last output
 * does, so what is missing is waited for, for a bounded time.
 */
export async function readEndedPage(
  master: MasterApi,
  task: TaskId,
  attempt: number,
  { offset, logBytes }: { readonly offset: number; readonly logBytes: number },
): Promise<LogPage> {
  const until = performance.now() + defaults.logTailWaitMs;
  for (;;) {
    const page = await readLogPage(master, task, attempt, offset);
    const isMissing = page.chunks.length === 0 && !page.isTruncated && offset < logBytes;
    if (!isMissing || performance.now() >= until) return page;
    await new Promise<void>((resolve) => setTimeout(resolve, defaults.logPollMs));
  }
}

/**
 * What of an attempt that is over has not come, behind all that has: so many bytes, or null where nobody knows, since its worker was
 * lost before it could say. Undefined if nothing is missing. A worker that comes back may still send it.
 */
export async function readMissing(
  master: MasterApi,
  task: TaskId,
  attempt: number,
  offset: number,
): Promise<number | null | undefined> {
  const cursor = attempt <= 1 ? null : attemptRecordId(task, attempt - 1).slice(task.length + 1);
  const [record] = (await master.views.attempts(task, { cursor, limit: 1 }).catch(unlessForgotten)).attempts;
  if (record?.attempt !== attempt) return undefined;
  const { outcome, logBytes, startedAt } = record;
  if (logBytes !== undefined) return logBytes > offset ? logBytes - offset : undefined;
  const hasBegun = startedAt !== undefined || offset > 0;
  return outcome === "killed" && hasBegun ? null : undefined;
}

function unlessForgotten(error: unknown): Pick<AttemptsOfTask, "attempts"> {
  if (error instanceof OutlastError && error.code === "not-found") return { attempts: [] };
  throw error;
}

/** About `limits.logPageBytesMax` of log in whole pieces, the first of which is cut at `offset`. It ends where a piece is missing. */
export async function readLogPage(master: MasterApi, task: TaskId, attempt: number, offset: number): Promise<LogPage> {
  // The store returns pieces that begin at or after an offset. The piece that contains `offset` may begin earlier.
  const fromOffset = Math.max(0, offset - limits.logChunkBytesMax + 1);
  const found = await master.readLogs(task, attempt, fromOffset, limits.logPageBytesMax + limits.logChunkBytesMax);
  const chunks: LogChunk[] = [];
  let nextOffset = offset;
  let missingBytes = 0;
  let isTruncated = false;
  for (const chunk of found) {
    const end = chunk.offset + chunk.bytes.length;
    const isBehindHole = chunk.bytes.length > 0 && chunk.offset > nextOffset;
    if (isBehindHole && chunks.length > 0) break;
    // An empty piece may exist only for its `isTruncated`.
    if (chunk.isTruncated && (end > offset || chunk.bytes.length === 0)) isTruncated = true;
    // Pieces must not overlap. If they do, no byte is shown twice.
    if (end <= nextOffset || chunk.bytes.length === 0) continue;
    if (isBehindHole) missingBytes = chunk.offset - offset;
    const skip = Math.max(0, nextOffset - chunk.offset);
    chunks.push(skip === 0 ? chunk : { ...chunk, offset: chunk.offset + skip, bytes: chunk.bytes.subarray(skip) });
    nextOffset = end;
  }
  return { chunks, missingBytes, nextOffset, isTruncated };
}
