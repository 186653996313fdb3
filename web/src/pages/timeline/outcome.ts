/** The colour of an attempt by how it ended. */
import type { Attempt } from "../../api/schema.ts";

/** How attempts stand, in the order in which they are offered. */
export const anyOutcomes = ["running", "killed", "failed", "success", "suspended", "aborted", "cancelled"] as const;
export type AnyOutcome = (typeof anyOutcomes)[number];

/** @param outcome absent while it runs */
export function colourOf(outcome: Attempt["outcome"]): string {
  switch (outcome) {
    case "success":
      return "--success";
    case "failed":
      return "--failed";
    case "killed":
      return "--killed";
    case "suspended":
      return "--waiting";
    case "aborted":
    case "cancelled":
      return "--cancelled";
    case undefined:
      return "--running";
    default:
      return outcome satisfies never;
  }
}
