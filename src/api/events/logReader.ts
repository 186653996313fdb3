/** Reads the log of one attempt from any byte offset. Stores keep it in pieces. */
import type { MasterApi } from "../../master/service/masterApi.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";

export interface LogPage {
  readonly chunks: readonly LogChunk[];
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

/** About `limits.logPageBytesMax` of log in whole pieces, the first of which is cut at `offset`. */
export async function readLogPage(master: MasterApi, task: TaskId, attempt: number, offset: number): Promise<LogPage> {
  // The store returns pieces that begin at or after an offset. The piece that contains `offset` may begin earlier.
  const fromOffset = Math.max(0, offset - limits.logChunkBytesMax + 1);
  const found = await master.readLogs(task, attempt, fromOffset, limits.logPageBytesMax + limits.logChunkBytesMax);
  const chunks: LogChunk[] = [];
  let nextOffset = offset;
  let isTruncated = false;
  for (const chunk of found) {
    const end = chunk.offset + chunk.bytes.length;
    // An empty piece may exist only for its `isTruncated`.
    if (chunk.isTruncated && (end > offset || chunk.bytes.length === 0)) isTruncated = true;
    // Pieces must not overlap. If they do, no byte is shown twice.
    if (end <= nextOffset) continue;
    const skip = Math.max(0, nextOffset - chunk.offset);
    chunks.push(skip === 0 ? chunk : { ...chunk, offset: chunk.offset + skip, bytes: chunk.bytes.subarray(skip) });
    nextOffset = end;
  }
  return { chunks, nextOffset, isTruncated };
}
