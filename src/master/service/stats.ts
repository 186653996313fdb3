/** The statistics of a master, from its memory. */
import type { Actor } from "../../model/principals/principal.ts";
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Inbox } from "../journal/inbox.ts";
import type { LoopStats } from "../journal/loopStats.ts";
import type { MasterState } from "../masterState.ts";
import type { MasterStats, WebhookFigures } from "./masterApi.ts";

export interface StatsParts {
  readonly stats: LoopStats;
  readonly state: MasterState;
  readonly inbox: Inbox;
  readonly clock: Clock;
}

/** Tasks are counted in the queues of the actor only. */
export function statsOf({ stats, state, inbox, clock }: StatsParts, by: Actor | undefined): MasterStats {
  const { commits, inputs, writes, drifts, elections } = stats;
  const { scheduler, roleChanges } = state;
  const readyAt = scheduler?.oldestReadyAt(by?.queues) ?? null;
  return {
    ...{ commits, inputs, writes, drifts, elections, roleChanges },
    inboxLength: inbox.length,
    tasks: scheduler?.countTasks(by?.queues) ?? {},
    waiting: scheduler?.countWaiting(clock.now(), state.status().leader !== null, by?.queues) ?? {},
    workersConnected: scheduler?.countConnectedWorkers() ?? 0,
    slots: scheduler?.countSlots() ?? { total: 0, used: 0 },
    oldestWaitMs: readyAt === null ? 0 : Math.max(0, clock.now() - readyAt),
    commitMs: stats.commitMs(),
    webhooks: by?.queues === undefined ? [...(scheduler?.webhookRecords() ?? [])].map(countsOf) : [],
  };
}

function countsOf({ name, pending, delivered, givenUp, dropped }: WebhookRecord): WebhookFigures {
  return { name, pending, delivered, givenUp, dropped };
}
