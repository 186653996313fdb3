/** What a master refuses before the scheduler sees it: workers of another age, and what no entry of the journal could hold. */
import { OutlastError } from "../../model/errors.ts";
import type { SessionId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { type AttachRequest, protocolVersions, type ReportItem } from "../../model/protocol.ts";
import type { TaskSpec } from "../../model/task.ts";
import { bytesOfItem, bytesOfSpecs } from "../journal/weights.ts";
import type { Streams } from "../streams/streams.ts";

export function noCommonProtocol({
  protocol,
  protocolMin = protocol,
  protocolMax = protocol,
}: AttachRequest): OutlastError {
  const { min, max } = protocolVersions;
  const message = `This master speaks versions ${min} to ${max} of the worker protocol, the worker ${protocolMin} to ${protocolMax}.`;
  return new OutlastError("bad-request", message, {
    path: "/protocol",
    hint: "Upgrade the older side; a release also speaks the protocol of the one before it.",
  });
}

/** @throws OutlastError `too-large` for an item that one entry could not hold; no worker of ours sends one */
export function checkItems(items: readonly ReportItem[]): void {
  const index = items.findIndex((item) => bytesOfItem(item) > limits.submissionBytesMax);
  if (index === -1) return;
  throw new OutlastError(
    "too-large",
    `Item ${index + 1} of this report takes more than ${limits.submissionBytesMax} bytes.`,
    {
      path: `/items/${index}`,
      limit: "submissionBytesMax",
      hint: "Send it in several items; nothing of this report was taken.",
    },
  );
}

/** @throws OutlastError `too-large` for more than one entry of the journal takes */
export function checkSize(specs: readonly TaskSpec[]): void {
  const bytes = bytesOfSpecs(specs);
  if (bytes <= limits.submissionBytesMax) return;
  throw new OutlastError(
    "too-large",
    `These ${specs.length} tasks take ${bytes} bytes in the journal; ${limits.submissionBytesMax} are allowed.`,
    { limit: "submissionBytesMax", hint: "Submit them in several requests; nothing of this one was taken." },
  );
}

export const restoredHint =
  "If this goes on, the store was probably restored from a backup: stop all masters, run `outlast restored`, and start them again.";

/** Session ids can be guessed, so only the principal that has opened a session may speak in it. */
export function checkOwner(streams: Streams, worker: WorkerId, session: SessionId, by: Actor | undefined): void {
  if (streams.isOwner(worker, by?.name)) return;
  throw new OutlastError("stale-session", `Session ${session} of worker ${worker} is not this token's; attach again.`);
}

export function checkSession(streams: Streams, worker: WorkerId, session: SessionId): void {
  if (streams.isKnown(worker, session)) return;
  throw new OutlastError("stale-session", `Session ${session} of worker ${worker} is closed; attach again.`);
}
