/** The tasks that clients put in, drawn from their seed: sleeps of all lengths, and commands that write the ledger themselves. */
import type { Submission } from "../../model/submission.ts";
import type { SeededRandom } from "../cluster/random.ts";

export interface TaskOptions {
  /** Where commands write their lines. */
  readonly ledgerPath: string;
  /** What the processes of this run's tasks carry in their environment: by it, those that got away are found. */
  readonly mark: string;
  /** Between 0 and 1: the rest are sleeps. */
  readonly execShare: number;
  /** No task sleeps for longer. */
  readonly sleepMsMax: number;
}

/** The environment variable that carries the mark. */
export const markVariable = "CHAOS_RUN";

const sleepMsMin = 20;
const startInMsMax = 3_000;
const delayedShare = 0.2;
const timeoutShare = 0.03;
const timeoutMs = 400;

/**
 * What a command does between its two lines. `$1` is how long it sleeps. An appended line of this size is one write, and
 * whole or not there at all.
 */
const commands = {
  plain: `sleep "$1"`,
  /** Fails once, by its own doing. */
  "fails-once": `sleep "$1"; [ "$OUTLAST_ATTEMPT" -gt 1 ] || exit 3`,
  "always-fails": `sleep "$1"; exit 4`,
  /** Leaves a process behind, which must be gone when the attempt is over. */
  "leaves-child": `sleep 300 & sleep "$1"`,
  "ignores-sigterm": `trap '' TERM; sleep "$1"`,
} as const;
type Command = keyof typeof commands;

const commandWeights: readonly (readonly [Command, number])[] = [
  ["plain", 70],
  ["fails-once", 10],
  ["always-fails", 4],
  ["leaves-child", 10],
  ["ignores-sigterm", 6],
];

/** One task; `null` lets the master choose its id. */
export function drawTask(random: SeededRandom, id: string | null, now: number, options: TaskOptions): Submission {
  const named = id === null ? {} : { id };
  const sleepMs = Math.round(sleepMsMin * (options.sleepMsMax / sleepMsMin) ** random.next());
  if (random.chance(options.execShare)) return { ...named, ...command(drawCommand(random), sleepMs, options) };
  if (random.chance(timeoutShare)) {
    // It sleeps for longer than it may, twice, and has then failed.
    const input = { seconds: 60 };
    return { ...named, kind: "sleep", input, timeoutMs, attemptsMax: 2, backoffBaseMs: 100, name: "times out" };
  }
  const startAt = random.chance(delayedShare) ? { startAt: now + Math.round(random.next() * startInMsMax) } : {};
  return { ...named, ...startAt, kind: "sleep", input: { seconds: sleepMs / 1000 } };
}

function command(name: Command, sleepMs: number, { ledgerPath, mark }: TaskOptions): Submission {
  const line = (kind: string) =>
    `printf '{"kind":"${kind}","at":%s,"task":"%s","attempt":%s,"worker":"%s","boot":"%s","pid":%s}\\n' ` +
    `"$(date +%s%3N)" "$OUTLAST_TASK" "$OUTLAST_ATTEMPT" "$OUTLAST_WORKER" "$OUTLAST_BOOT" "$$" >> "$CHAOS_LEDGER"`;
  const script = `${line("exec-start")}; ${commands[name]}; ${line("exec-end")}`;
  return {
    name,
    kind: "exec",
    input: {
      command: ["/bin/sh", "-c", script, "chaos-task", String(sleepMs / 1000)],
      env: { CHAOS_LEDGER: ledgerPath, [markVariable]: mark },
    },
    // Its process is shot at too, which counts as its own failure: it gets more tries than anyone would shoot away.
    attemptsMax: name === "always-fails" ? 2 : 20,
    backoffBaseMs: 100,
    backoffMaxMs: 1000,
  };
}

function drawCommand(random: SeededRandom): Command {
  let draw = random.next() * commandWeights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of commandWeights) {
    draw -= weight;
    if (draw < 0) return name;
  }
  return "plain";
}
