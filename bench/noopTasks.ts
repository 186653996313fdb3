/** Handlers that do nothing, for measurements. */
import { appendFileSync } from "node:fs";
import { defineTask } from "outlast";
import type { Timing } from "./peers/contender.ts";

export const noop = defineTask({ name: "noop", run: (_: null) => null });

export const noopInline = defineTask({ name: "noop-inline", runner: "inline", run: (_: null) => null });

export const timed = defineTask({ name: "timed", run: tellStart });

export const timedInline = defineTask({ name: "timed-inline", runner: "inline", run: tellStart });

function tellStart({ sentAt, file }: Timing): null {
  appendFileSync(file, `${process.hrtime.bigint() - BigInt(sentAt)}\n`);
  return null;
}
