/** Who was connected to which master, and how workers' processes lived and died: for checkers of the failure detector. */
import type { LedgerEvent } from "./ledger.ts";
import { eventsOf, once } from "./reading.ts";

export type Start = Extract<LedgerEvent, { kind: "start" }>;
type Crash = Extract<LedgerEvent, { kind: "crash" }>;

export interface WorkerDeath {
  readonly crash: Crash;
  readonly start: Start;
}

export interface Connection {
  readonly life: string;
  readonly isRelayed: boolean;
  readonly openedAt: number;
}

/** Every worker process that was killed, with its start. */
export const workerDeaths = once((history): readonly WorkerDeath[] => {
  const starts = new Map(eventsOf(history, "start").map((start) => [start.life, start]));
  return eventsOf(history, "crash").flatMap((crash) => {
    const start = starts.get(crash.life);
    return start?.boot === undefined ? [] : [{ crash, start }];
  });
});

/** The connections of each boot, as the masters' ends saw them open and close. */
export const connectionsByBoot = once((history) => {
  const byBoot = new Map<string, { readonly order: number; readonly connection: Connection | null }[]>();
  for (const event of history.events) {
    if (event.kind !== "stream-opened" && event.kind !== "stream-closed") continue;
    const own = byBoot.get(event.boot) ?? [];
    byBoot.set(event.boot, own);
    const { life, order, at } = event;
    if (event.kind === "stream-opened")
      own.push({ order, connection: { life, isRelayed: event.isRelayed === true, openedAt: at } });
    else own.push({ order, connection: null });
  }
  return byBoot;
});
