/** Every promise that a run can be judged by, in the order in which a reader asks. */
import type { Check } from "./check.ts";
import { clientChecks } from "./clientChecks.ts";
import { clusterChecks } from "./clusterChecks.ts";
import type { Evidence } from "./evidence.ts";
import { toHistory } from "./history.ts";
import { taskChecks } from "./taskChecks.ts";

/** Without a store to look into, only what clients can see is judged. */
export function checkAll(evidence: Evidence): Check[] {
  const history = toHistory(evidence);
  const clients = clientChecks(evidence, history);
  if (evidence.entries === null) return clients;
  return [...clients, ...taskChecks(evidence, history), ...clusterChecks(evidence, history)];
}
