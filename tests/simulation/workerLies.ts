/** Lies about logs, and about how the deaths of workers are noticed. */
import type { BootId, WorkerId } from "../../src/model/ids.ts";
import { boot, created, goodHistory, life, MadeHistory, task, usedAgain, worker, workerRecord } from "./madeHistory.ts";

export const workerLies: { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } } = {
  I36: {
    "a log with a gap": () => goodHistory().prints("one two").log(1, "two", 4),
    "a log that ends too early": () => goodHistory().prints("one").log(1, "on"),
    "output that the attempt did not print": () => goodHistory().prints("one").log(1, "two"),
    "output of a forgotten task in the log of its successor": () =>
      usedAgain().prints("first").prints("second", "token of the second").log(1, "first"),
    "output of another one in a log that was forgotten": () =>
      goodHistory()
        .prints("one")
        .add({ kind: "log-forgotten", task, attempt: 1, pieces: [{ offset: 0, text: "two" }] }),
  },
  I45: {
    "a death by a port that refuses, noticed late": () =>
      quietDeath({ isProbed: true, openMs: 5_000 }).later(300).status({ state: "killed", attempt: 1, kills: 1 }),
    "a death without a port, noticed after the long grace": () =>
      quietDeath({ isProbed: false, openMs: 5_000 }).later(15_000).status({ state: "killed", attempt: 1, kills: 1 }),
  },
  I46: {
    "workers that lost their connections at once, given up after the short grace": () => {
      const made = new MadeHistory();
      const others = [1, 2, 3].map((number) => ({
        id: `worker-${number}` as WorkerId,
        boot: `boot-${number}.1` as BootId,
      }));
      for (const other of others) made.attach(other);
      for (const { id, boot: own } of others)
        made.add({ kind: "stream-closed", life, worker: id, boot: own, session: `1.${own}` });
      made.later(500);
      return made.entry({ kind: "record", collection: "workers", id: worker, value: workerRecord({ state: "lost" }) });
    },
  },
};

/** A worker that runs an attempt is killed after it was connected for `openMs`, and nothing else ever went wrong. */
function quietDeath({ isProbed, openMs }: { isProbed: boolean; openMs: number }): MadeHistory {
  const made = new MadeHistory().later(60_000).add({ kind: "leads", life, epoch: 1 });
  made.add({ kind: "start", node: worker, life: `${worker}#1`, boot, capacity: 1, isProbed }).hear();
  made.entry({ kind: "record", collection: "workers", id: worker, value: workerRecord() });
  made.add({ kind: "stream-opened", life, worker, boot, session: "1.1" }).entry(...created);
  made.status({ state: "running", attempt: 1 }).later(openMs);
  return made.add({ kind: "crash", node: worker, life: `${worker}#1` });
}
