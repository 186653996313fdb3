/** Reads a master's log for what must never be in it: errors that are bugs, and stack traces of broken code. */

/** Errors that the fuzzer provokes on purpose, and that an operator would want to see. */
const provoked = [
  "a worker has seen a higher epoch than this master",
  "this master still leads, so the store is older than it was",
];
const broken =
  /\b(TypeError|RangeError|ReferenceError|SyntaxError|AssertionError|URIError|ERR_[A-Z_]+|[Uu]nhandled|[Uu]ncaught|MaxListenersExceeded|out of memory)\b/;

/** The lines that tell of something broken, shortened. */
export function brokenLines(log: string): string[] {
  const found: string[] = [];
  for (const line of log.split("\n")) {
    if (line === "" || !isBroken(line)) continue;
    found.push(line.slice(0, 1000));
  }
  return found;
}

function isBroken(line: string): boolean {
  const record = parse(line);
  // A process that dies writes its last words without any format.
  if (record === null) return broken.test(line) || /^\s+at .*:\d+:\d+/.test(line);
  const { level, msg } = record;
  if (typeof msg === "string" && provoked.includes(msg)) return false;
  return level === "error" || level === "fatal" || broken.test(line);
}

function parse(line: string): { readonly [name: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
