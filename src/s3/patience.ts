/** Waits for a server that is away: work of minutes should not fail because of an outage of seconds. */
import { setTimeout } from "node:timers/promises";
import { s3Limits } from "../model/limitsS3.ts";
import { S3Failure } from "./failure.ts";

/** Does something again as long as S3 is away, for `outageMsMax`. Whatever else fails is thrown at once. */
export async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  const endsAt = performance.now() + s3Limits.outageMsMax;
  for (let waitMs: number = s3Limits.outageWaitMs; ; waitMs = Math.min(waitMs * 2, s3Limits.outageWaitMsMax)) {
    try {
      return await work();
    } catch (error) {
      const isAway = error instanceof S3Failure && (error.kind === "away" || error.kind === "conflict");
      if (!isAway || performance.now() + waitMs > endsAt) throw error;
    }
    await setTimeout(waitMs);
  }
}
