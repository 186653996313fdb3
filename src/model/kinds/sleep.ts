/** The kind `sleep`: does nothing for some time. Its executor is `src/worker/executors/sleep.ts`. */
import { formatDuration } from "../durationText.ts";
import { limits } from "../limits.ts";
import { closed, limitKeyword } from "../schema.ts";
import type { KindDefinition } from "./kind.ts";

export interface SleepInput {
  /** 0 to 366 days; fractions are allowed. */
  readonly seconds: number;
}

export const sleepKind: KindDefinition = {
  name: "sleep",
  inputName: "SleepInput",
  inputSchema: closed({
    seconds: { type: "number", minimum: 0, maximum: limits.durationMsMax / 1000, [limitKeyword]: "durationMsMax" },
  }),
  describe: ({ seconds }) => (typeof seconds === "number" ? `sleep ${formatDuration(seconds * 1000)}` : null),
};
