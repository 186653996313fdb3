/** Whether the clocks of the machines agree: of masters with this machine's, and of workers with their masters'. */
import { workerClockDifferences } from "../../model/clockDifferences.ts";
import { limits } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { MasterReport } from "../../sdk/masterReport.ts";
import { formatDuration } from "../duration.ts";
import { type Finding, good } from "./finding.ts";

/** Compares a master's clock with this machine's. The `date` header has whole seconds only. */
export function checkMasterClock(address: string, serverAt: number | null, hereAt: number): Finding[] {
  if (serverAt === null || Number.isNaN(serverAt)) return [];
  const differenceMs = Math.abs(serverAt + 500 - hereAt);
  if (differenceMs <= limits.clockDifferenceMsMax) return [good("clock", `agrees with ${address}`)];
  return [
    {
      verdict: "odd",
      what: "clock",
      message: `The clock of ${address} differs by ${formatDuration(differenceMs)} from this machine's.`,
      advice:
        "No task is affected, but times in lists and logs are wrong. Synchronise both clocks, for example with NTP.",
    },
  ];
}

/**
 * Whether masters count time by their machines' wall clocks. One that was started under a wrong clock, or whose clock was set since,
 * follows slowly, so that nothing starts or expires by mistake.
 */
export function checkOffsets(reports: readonly Pick<MasterReport, "address" | "role" | "clockOffsetMs">[]): Finding[] {
  return reports.flatMap(({ address, role, clockOffsetMs = 0 }) => {
    const differenceMs = Math.abs(clockOffsetMs);
    if (differenceMs <= limits.clockDifferenceMsMax) return [];
    const how = clockOffsetMs > 0 ? "ahead of" : "behind";
    return {
      verdict: "odd",
      what: "clock",
      message: `The ${role} at ${address} counts time ${formatDuration(differenceMs)} ${how} its machine's wall clock.`,
      advice:
        "That clock was set while the master ran. What is due at an instant starts by the wall clock; instants in lists differ. Restart that master once the clock is right.",
    };
  });
}

/** Whether the clocks of workers agree with their masters', as far as these tasks tell. */
export function checkWorkerClocks(tasks: readonly TaskDocument[]): Finding[] {
  return [...workerClockDifferences(tasks)]
    .filter(([, differenceMs]) => Math.abs(differenceMs) > limits.clockDifferenceMsMax)
    .map(([host, differenceMs]) => ({
      verdict: "odd",
      what: "clock",
      message: `The clock of worker ${host} is ${differenceMs < 0 ? "behind" : "ahead of"} its master's by at least ${formatDuration(Math.abs(differenceMs))}.`,
      advice:
        "No task is affected, but start times and log times are wrong. Synchronise the clocks, for example with NTP.",
    }));
}
