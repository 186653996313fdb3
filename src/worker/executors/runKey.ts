/** The key of a run: what its backend knows it by, and tells its repeated start by. */
import { createHash } from "node:crypto";
import type { BootId } from "../../model/ids.ts";
import type { IssuedAttempt } from "../../model/protocol.ts";

const taskLengthMax = 30;

/** No other attempt has it, in whatever cluster: its boot is random. People find the task in it. See `RunOrder.key`. */
export function runKey({ task, attempt, assignedAt }: IssuedAttempt, boot: BootId): string {
  const name = task
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, taskLengthMax);
  const digest = createHash("sha256")
    .update(JSON.stringify([task, attempt, assignedAt, boot]))
    .digest("hex");
  return `outlast-${name}-${attempt}-${digest.slice(0, 12)}`.replace(/-+/g, "-");
}
