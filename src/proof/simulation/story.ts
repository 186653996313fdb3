/** Makes a failing seed readable: what was violated, the events around it, and the one command that repeats it. */
import type { TaskId } from "../../model/ids.ts";
import type { Violation } from "../checkers/checker.ts";
import { idOf } from "../checkers/lives.ts";
import type { Changes } from "./changes.ts";
import { describeKnobs } from "./knobs.ts";
import { type SeedResult, simulate } from "./simulate.ts";

const violationsMax = 8;
const linesMax = 60;

/** Runs the seed once more and keeps the lines that the violations are about. */
export async function tellStory(
  result: SeedResult,
  violations: readonly Violation[],
  changes: Changes = {},
): Promise<string> {
  const subjects = new Set(
    violations.slice(0, 1).flatMap((violation) => violation.subjects.map((subject) => idOf(subject as TaskId))),
  );
  const lines: string[] = [];
  const listener = (at: number, line: string): void => {
    if (isAbout(line, subjects)) lines.push(`${(at / 1000).toFixed(3).padStart(10)}  ${shorten(line)}`);
  };
  await simulate(result.seed, { listener, changes });
  const shown =
    lines.length > linesMax
      ? [...lines.slice(0, 10), `            … ${lines.length - linesMax} more …`, ...lines.slice(-(linesMax - 10))]
      : lines;
  return [
    "",
    `seed ${result.seed} FAILED (${describeKnobs(result.knobs)})`,
    ...violations.slice(0, violationsMax).map(({ invariant, message }) => `  ${invariant}: ${message}`),
    ...(violations.length > violationsMax ? [`  … and ${violations.length - violationsMax} more`] : []),
    `the story of ${[...subjects].join(", ") || "the last moments"}:`,
    ...shown,
    `repeat it with: npm run sim -- --from ${result.seed} --trace; make it smaller with: npm run sim -- --shrink ${result.seed}`,
    "",
  ].join("\n");
}

/** Lines that name a subject, and what was done to masters and the store. */
function isAbout(line: string, subjects: ReadonlySet<string>): boolean {
  if (/beat|a look around|read of|logs of|report of \S+ \[\]/.test(line)) return false;
  if (/^master\S+ (is killed|is paused|goes on|starts)|^store-|healed|^cut:|^open again|broke/.test(line)) return true;
  // A machine's name stands in every line about it: only what was done to it counts.
  for (const subject of subjects) {
    if (!line.includes(subject)) continue;
    if (!isMachine(subject) || /is killed|is paused|goes on|starts as|ends|clock of|dead|drain|attach/.test(line))
      return true;
  }
  return false;
}

function isMachine(name: string): boolean {
  return /^(worker|master|client)-\d+$/.test(name);
}

function shorten(line: string): string {
  return line.length > 260 ? `${line.slice(0, 257)}…` : line;
}
