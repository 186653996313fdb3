/** I19: a worker that has seen an epoch starts nothing that a leader of an older one asks for. */
import { checker } from "./checker.ts";
import { name } from "./reading.ts";

export const epochNeverFalls = checker("I19", "a worker's epoch never falls", (history, report) => {
  const seen = new Map<string, number>();
  /** By attempt and boot: the highest epoch that asked for it, and what had been seen at that moment. */
  const asked = new Map<string, { readonly epoch: number; readonly seen: number }>();
  for (const event of history.events) {
    if (event.kind === "told-epoch") seen.set(event.boot, Math.max(seen.get(event.boot) ?? 0, event.epoch));
    if (event.kind === "received-assign") {
      const key = `${name(event.task, event.attempt)} ${event.boot}`;
      const before = asked.get(key);
      if (before === undefined || event.epoch > before.epoch)
        asked.set(key, { epoch: event.epoch, seen: seen.get(event.boot) ?? 0 });
    }
    if (event.kind !== "exec-start") continue;
    const { task, attempt, boot, worker } = event;
    const from = asked.get(`${name(task, attempt)} ${boot}`);
    if (from === undefined) report(`${boot} started ${name(task, attempt)} without having been asked to`, task, worker);
    else if (from.epoch < from.seen)
      report(
        `${boot} started ${name(task, attempt)} for a leader of epoch ${from.epoch} when it had seen ${from.seen}`,
        task,
        worker,
      );
  }
});
