/** Which reasons of waiting tasks do not end by themselves. */
export const needsSomebody: ReadonlySet<string> = new Set(["queue-paused", "no-worker", "no-able-worker", "no-leader"]);
