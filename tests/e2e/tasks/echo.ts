/** A handler that gives its input back. */
import { defineTask } from "outlast";

export const echo = defineTask({ name: "echo", run: async (input: unknown) => input });
