/** Handlers that do nothing, for measurements. */
import { defineTask } from "outlast";

export const noop = defineTask({ name: "noop", run: (_: null) => null });

export const noopInline = defineTask({ name: "noop-inline", runner: "inline", run: (_: null) => null });
