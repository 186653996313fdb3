/** Lies about the records of attempts, for the checker that must see each one. */
import { type AttemptRecord, attemptRecordId } from "../../src/model/attemptRecord.ts";
import type { Write } from "../../src/model/entry.ts";
import type { WorkerId } from "../../src/model/ids.ts";
import { boot, type MadeHistory, submitted, task, worker } from "./madeHistory.ts";

/** A first attempt that failed, and a second one. */
function triedAgain(...writes: Write[]): MadeHistory {
  const first = { attempt: 1, host: worker, boot };
  return submitted()
    .status({ state: "running", ...first })
    .execStart(1)
    .execEnd(1, "failed")
    .status({ state: "retrying", failures: 1, retryAt: 0, ...first })
    .entry(...writes)
    .status({ state: "running", failures: 1, ...first, attempt: 2 });
}

/** A first attempt that is given up while it runs. */
function givenUp(): MadeHistory {
  const first = { attempt: 1, host: worker, boot };
  return submitted()
    .status({ state: "running", ...first })
    .execStart(1)
    .entry(recorded())
    .status({ state: "retrying", failures: 1, retryAt: 0, isRecorded: true, ...first });
}

/** Its process ends later, and the record is completed then. */
export function completed(fields: Partial<AttemptRecord> = {}): MadeHistory {
  return givenUp()
    .execEnd(1, "aborted")
    .entry(recorded({ processEndedAt: 5, ...fields }));
}

function recorded(fields: Partial<AttemptRecord> = {}): Write {
  const value: AttemptRecord = { attempt: 1, worker, boot, assignedAt: 0, endedAt: 1, outcome: "failed", ...fields };
  return { kind: "record", collection: "attempts", id: attemptRecordId(task, 1), value };
}

export const attemptLies: { readonly I4: { readonly [name: string]: () => MadeHistory } } = {
  I4: {
    "the next one begins, and nothing tells of the one before": () => triedAgain(),
    "the next one begins before the one before is on record": () => triedAgain().entry(recorded()),
    "the record of an attempt names another worker": () => triedAgain(recorded({ worker: "worker-2" as WorkerId })),
    "what completes a record tells otherwise how the attempt ended": () => completed({ outcome: "killed" }),
    "a process has ended twice": () => completed().entry(recorded({ processEndedAt: 6 })),
    "a record loses when the process ended": () => completed().entry(recorded()),
    "a process is said to have ended that runs": () => givenUp().entry(recorded({ processEndedAt: 5 })),
    "a process is said to have ended that died with its worker": () =>
      givenUp()
        .execEnd(1, "died")
        .entry(recorded({ processEndedAt: 5 })),
    "a process is said to have ended that there never was": () =>
      submitted().entry(recorded({ outcome: "cancelled", processEndedAt: 5 })),
    "an attempt is recorded twice": () => triedAgain(recorded()).entry(recorded()),
  },
};
