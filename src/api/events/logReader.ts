/** Reads the log of one attempt from any byte on: stores keep it in pieces, readers count in bytes. */
import type { MasterApi } from "../../master/service/masterApi.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";

export interface LogPage {
  readonly chunks: readonly LogChunk[];
  /** Where to read on; the offset that was asked for if there is nothing yet. */
  readonly nextOffset: number;
  /** The log was cut here because it had become too long. */
  readonly isTruncated: boolean;
}

/** About `limits.logPageBytesMax` of log, always in whole pieces but for the first, which begins at `offset`. */
export async function readLogPage(master: MasterApi, task: TaskId, attempt: number, offset: number): Promise<LogPage> {
  // The store gives pieces that begin at or behind an offset: the one that `offset` falls into begins up to one length before.
  const fromOffset = Math.max(0, offset - limits.logChunkBytesMax + 1);
  const found = await master.readLogs(task, attempt, fromOffset, limits.logPageBytesMax + limits.logChunkBytesMax);
  const chunks: LogChunk[] = [];
  let nextOffset = offset;
  let isTruncated = false;
  for (const chunk of found) {
    const end = chunk.offset + chunk.bytes.length;
    // An empty piece may be there for the mark alone.
    if (chunk.isTruncated && (end > offset || chunk.bytes.length === 0)) isTruncated = true;
    // Pieces never overlap in a store that keeps its promises; if they did, no byte would be shown twice.
    if (end <= nextOffset) continue;
    const skip = Math.max(0, nextOffset - chunk.offset);
    chunks.push(skip === 0 ? chunk : { ...chunk, offset: chunk.offset + skip, bytes: chunk.bytes.subarray(skip) });
    nextOffset = end;
  }
  return { chunks, nextOffset, isTruncated };
}
