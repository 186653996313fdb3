/** Splits the environment of a child of `outlast up`, so that tasks of the same user cannot read its secrets while it starts. */
import { readFileSync } from "node:fs";

export interface HandOver {
  readonly env: NodeJS.ProcessEnv;
  /** For the descriptor; null if nothing is hidden. */
  readonly text: string | null;
}

/**
 * What this process shows in `/proc` its children may show too: `bin/environment.js` has left there what is no secret. The child's
 * own copy of that file reads the rest from the descriptor. Without `/proc` there is nothing to hide from.
 */
export function handOver(environment: NodeJS.ProcessEnv, descriptor: number): HandOver {
  const visible = visibleNames();
  if (visible === null) return { env: environment, text: null };
  const all = Object.entries(environment).filter(([, value]) => value !== undefined);
  const shown = all.filter(([name]) => visible.has(name));
  const hidden = all.filter(([name]) => !visible.has(name));
  if (hidden.length === 0) return { env: environment, text: null };
  const env = { ...Object.fromEntries(shown), OUTLAST_ENVIRONMENT_FD: String(descriptor) };
  return { env, text: JSON.stringify(Object.fromEntries(hidden)) };
}

function visibleNames(): ReadonlySet<string> | null {
  try {
    const texts = readFileSync("/proc/self/environ", "latin1").split("\0");
    return new Set(texts.map((text) => text.split("=", 1)[0] ?? ""));
  } catch {
    return null;
  }
}
