/** How an attempt ended, in its word and its colour. */
import type { Attempt } from "../../api/schema.ts";
import { colourOf } from "./outcome.ts";

/** @param outcome absent while it runs */
export function OutcomeText({ outcome }: { readonly outcome: Attempt["outcome"] }) {
  return (
    <span className="font-medium whitespace-nowrap" style={{ color: `var(${colourOf(outcome)})` }}>
      {outcome === "killed" ? "✕ " : ""}
      {outcome ?? "running"}
    </span>
  );
}
