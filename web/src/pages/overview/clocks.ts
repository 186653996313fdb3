/** Clocks that differ: of masters from their machines', of workers from their masters', and of this browser from both. */
import { workerClockDifferences } from "../../../../src/model/clockDifferences.ts";
import { limits } from "../../../../src/model/limits.ts";
import type { MasterStatus, Task } from "../../api/schema.ts";
import { durationText } from "../../parts/time.tsx";
import type { Problem } from "./problems.ts";

type Clock = Pick<MasterStatus, "address" | "role" | "now" | "clockOffsetMs">;

const isMuch = (differenceMs: number) => Math.abs(differenceMs) > limits.clockDifferenceMsMax;

/** A master that was started under a wrong clock, or whose clock was set since, follows slowly, so that nothing starts or expires by mistake. */
export function ofMasterClocks(masters: readonly Clock[]): Problem[] {
  return masters
    .filter(({ clockOffsetMs }) => isMuch(clockOffsetMs))
    .map(({ address, role, clockOffsetMs }) => {
      const how = `${durationText(Math.abs(clockOffsetMs))} ${clockOffsetMs > 0 ? "ahead of" : "behind"}`;
      return warn(`The ${role} at ${address} counts time ${how} its machine's wall clock.`, "outlast doctor");
    });
}

/** @param readAt when the status came, by this browser's clock */
export function ofThisClock({ now, clockOffsetMs }: Clock, readAt: number): Problem[] {
  const differenceMs = readAt - (now - clockOffsetMs);
  if (!isMuch(differenceMs)) return [];
  const how = `${durationText(Math.abs(differenceMs))} ${differenceMs > 0 ? "ahead of" : "behind"}`;
  return [warn(`The clock of this computer is ${how} the master's, so “… ago” is wrong on these pages.`, null)];
}

type Told = Pick<Task, "host" | "state" | "assignedAt" | "startedAt" | "changedAt">;

export function ofWorkerClocks(tasks: readonly Told[]): Problem[] {
  return [...workerClockDifferences(tasks)]
    .filter(([, differenceMs]) => isMuch(differenceMs))
    .map(([worker, differenceMs]) => {
      const how = `${differenceMs < 0 ? "behind" : "ahead of"} its master's by at least ${durationText(Math.abs(differenceMs))}`;
      return warn(
        `The clock of worker ${worker} is ${how}: its start times and log times are wrong.`,
        "outlast doctor",
      );
    });
}

function warn(text: string, advice: string | null): Problem {
  return { tone: "warn", text, advice };
}
