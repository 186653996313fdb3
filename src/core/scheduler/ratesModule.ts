/** Keeps the rate limits of queues: what no longer counts is forgotten before slots are filled. */
import type { SchedulerModule } from "./module.ts";

export const ratesModule = {
  activate: ({ rates }) => rates.dropLeftovers(),
  step: ({ rates }, { now }) => rates.prune(now),
  nextWakeAt: ({ rates }) => rates.nextWakeAt,
} satisfies SchedulerModule;
