/** What a simulated worker has printed and no master has stored yet. */
import { issueKey } from "../../model/ids.ts";
import type { LogChunk, LoggedAttempt } from "../../model/protocol.ts";
import type { LogSpool, SpooledPieceRef } from "../../ports/work.ts";

interface SpooledLog {
  chunks: LogChunk[];
  length: number;
  isEnded: boolean;
}

/**
 * Output on its way to a master, in memory: it is lost with the process, as logs may be. It forgets a log as the real spool
 * does: once the attempt has ended and all of its output is stored.
 */
export class SimulatedSpool implements LogSpool {
  readonly #logs = new Map<string, SpooledLog>();

  /** True if a master has stored all that was printed. */
  get isEmpty(): boolean {
    return [...this.#logs.values()].every(({ chunks }) => chunks.length === 0);
  }

  write({ task, attempt, assignedAt = 0 }: LoggedAttempt, at: number, bytes: Uint8Array): undefined {
    const key = spoolKey({ task, attempt, assignedAt });
    const log = this.#logs.get(key) ?? { chunks: [], length: 0, isEnded: false };
    this.#logs.set(key, log);
    log.chunks.push({ task, attempt, assignedAt, offset: log.length, at, bytes, isTruncated: false });
    log.length += bytes.length;
  }

  take(maxBytes: number): readonly LogChunk[] {
    const taken: LogChunk[] = [];
    let bytes = 0;
    for (const { chunks } of this.#logs.values()) {
      for (const chunk of chunks) {
        if (bytes > 0 && bytes + chunk.bytes.length > maxBytes) return taken;
        taken.push(chunk);
        bytes += chunk.bytes.length;
      }
    }
    return taken;
  }

  stored(chunks: readonly SpooledPieceRef[]): void {
    for (const { offset, ...attempt } of chunks) {
      const key = spoolKey(attempt);
      const log = this.#logs.get(key);
      if (log === undefined) continue;
      log.chunks = log.chunks.filter((chunk) => chunk.offset !== offset);
      if (log.isEnded && log.chunks.length === 0) this.#logs.delete(key);
    }
  }

  end(attempt: LoggedAttempt): number {
    const key = spoolKey(attempt);
    const log = this.#logs.get(key);
    if (log === undefined) return 0;
    log.isEnded = true;
    if (log.chunks.length === 0) this.#logs.delete(key);
    return log.length;
  }

  close(): true {
    return true;
  }
}

function spoolKey({ task, attempt, assignedAt = 0 }: LoggedAttempt): string {
  return issueKey({ task, attempt, assignedAt });
}
