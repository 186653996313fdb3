/** Schemas of what happened lately. */
import { count, id, instant, list, oneOf, open, ref, safeCount, text } from "../../model/schema.ts";

const quantiles = {
  anyOf: [ref("Quantiles"), { type: "null" }],
  description: "In ms, right to a quarter; null if there was none.",
};

export const historySchemas = {
  Quantiles: open({ p50: count, p95: count }),
  HistorySample: open({
    tasks: { type: "object", additionalProperties: count, description: "Tasks by state." },
    slots: open({ total: count, used: count }),
  }),
  HistoryPoint: open({
    at: { ...instant, description: "When it began. The last point is not over yet." },
    submitted: count,
    started: { ...count, description: "Attempts that began." },
    succeeded: count,
    failed: { ...count, description: "Tasks that failed for good." },
    cancelled: count,
    retried: { ...count, description: "Attempts that failed and are tried again." },
    killed: { ...count, description: "Attempts that were lost with their worker." },
    waitMs: { ...quantiles, description: "How long tasks that began had waited. Only the leader knows it." },
    runMs: { ...quantiles, description: "How long attempts that ended had run." },
    commitMs: { ...quantiles, description: "How long commits took. Only the leader knows it." },
    sample: { anyOf: [ref("HistorySample"), { type: "null" }], description: "At the end of the point." },
  }),
  History: open({ resolutionMs: count, points: list(ref("HistoryPoint")) }),
  Mark: {
    anyOf: [
      open({ at: instant, kind: { const: "leader" }, epoch: safeCount, address: text }),
      open(
        { at: instant, kind: oneOf(["attached", "drained", "lost", "left"]), worker: id },
        {
          wasRestarted: {
            const: true,
            description: "It attached as a new process, while the one before was not known to have ended.",
          },
          attemptsLost: {
            ...count,
            description: "Attempts that were lost with its process; left out if none is known.",
          },
        },
      ),
    ],
  },
  MarkList: open({ marks: list(ref("Mark")) }),
};
