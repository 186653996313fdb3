/** Whom the fuzzer plays: names of its own, and bodies that mean something, made to be sent as they are or spoiled. */
import { protocolVersions } from "../../model/protocol.ts";
import type { Random } from "../simulation/random.ts";
import { RawText } from "./jsonText.ts";
import type { Makers } from "./values.ts";

/** Few names, so that what one case does is met by another. The honest worker and its queue are never among them. */
export const fuzzWorkers = ["fw-0", "fw-1", "fw-2", "fw-3", "fw-4", "fw-5"];
export const fuzzQueues = ["fq-0", "fq-1", "fq-2", "fq-3"];
export const fuzzTasks = Array.from({ length: 12 }, (_, index) => `ft-${index}`);
export const fuzzBoots = ["fb-0", "fb-1", "fb-2"];

/** Stands in for what only a run knows, wherever a text must be judged before it is sent. */
export const sampleNames: ReadonlyMap<string, string> = new Map([
  ["epoch", "1"],
  ["session", "1.5"],
  ["otherSession", "1.6"],
  ["incarnation", "sample"],
  ["task", "ft-0"],
  ["honestTask", "ht-0"],
  ["honestWorker", "steady"],
  ["assignedTask", "ft-1"],
  ["assignedAttempt", "1"],
  ["assignedAt", "1"],
  ["cursor", "AAAA"],
  ["auth", ""],
]);

export function taskName(random: Random): string {
  return random.pick([...fuzzTasks, "{{task}}", "{{honestTask}}", "{{assignedTask}}", "nobody"]);
}

export function workerName(random: Random): string {
  return random.pick([...fuzzWorkers, "nobody"]);
}

/** Never a session that the honest worker could have: whoever knows a worker's boot and session is that worker. */
export function forgedSession(random: Random): string {
  return random.pick(["{{otherSession}}", "0.0", "1.0", "1.999999", "9007199254740991.1", "-1.-1", "1.1 ", "x", "1"]);
}

export function attachBody(random: Random, change: object = {}): { readonly [name: string]: unknown } {
  return {
    protocol: protocolVersions.min,
    protocolMin: protocolVersions.min,
    protocolMax: protocolVersions.max,
    boot: random.pick(fuzzBoots),
    capacity: random.pick([1, 2, 5, 100, 10_000]),
    queues: [random.pick(fuzzQueues)],
    running: Array.from({ length: random.pick([0, 0, 1, 3]) }, () => ({ ...attemptOf(random), startedAt: 1 })),
    outbox: Array.from({ length: random.pick([0, 0, 1, 3]) }, () => attemptOf(random)),
    isDraining: random.chance(0.1),
    epochMax: random.pick([0, 1]),
    incarnation: random.pick([null, "{{incarnation}}", "another"]),
    probePort: null,
    hostname: "fuzz",
    pid: 1,
    version: "0",
    // Else a standby would send it to the leader.
    relay: random.chance(0.9),
    ...change,
  };
}

/** The attempt that the fuzzer's own worker was last given, or one that is none of its business. */
export function attemptOf(random: Random): {
  readonly task: string;
  readonly attempt: unknown;
  readonly assignedAt: unknown;
} {
  const assignedAt = random.pick([new RawText("{{assignedAt}}"), new RawText("{{assignedAt}}"), 0, 1_700_000_000_000]);
  return random.chance(0.5)
    ? { task: "{{assignedTask}}", attempt: new RawText("{{assignedAttempt}}"), assignedAt }
    : { task: taskName(random), attempt: random.pick([1, 1, 2, 99_999, Number.MAX_SAFE_INTEGER]), assignedAt };
}

export function resultItem(random: Random, change: object = {}): object {
  return {
    kind: "result",
    ...attemptOf(random),
    boot: random.pick(fuzzBoots),
    outcome: random.pick(["success", "failed", "aborted"]),
    startedAt: random.pick([0, 1, 1_700_000_000_000]),
    endedAt: random.pick([0, 1, 1_700_000_000_000]),
    ...(random.chance(0.5) ? { output: random.pick([null, 1, "x", { a: [1] }, "\u0000"]) } : {}),
    ...(random.chance(0.3) ? { error: { code: "exit", message: random.pick(["", "no", "x".repeat(4096)]) } } : {}),
    ...(random.chance(0.3) ? { exit: { code: random.pick([0, 1, 256, -1, null]), signal: null } } : {}),
    ...(random.chance(0.3) ? { logBytes: random.pick([0, 5, Number.MAX_SAFE_INTEGER]) } : {}),
    ...change,
  };
}

export function reportBody(random: Random, items: readonly unknown[], session = "{{session}}"): object {
  return { boot: random.pick(fuzzBoots), session, epoch: new RawText("{{epoch}}"), items };
}

export function logPiece(random: Random, change: object = {}): object {
  const bytes = random.pick(["", "aGVsbG8K", "AA==", "/////w==", Buffer.alloc(64 * 1024, "\u0001").toString("base64")]);
  return {
    ...attemptOf(random),
    offset: random.pick([0, 0, 1, 5, 65_536, 67_108_864, Number.MAX_SAFE_INTEGER]),
    at: 1,
    base64: bytes,
    isTruncated: random.chance(0.1),
    ...change,
  };
}

export function submission(random: Random): object {
  const [kind, input] = random.pick<[string, object]>([
    ["sleep", { seconds: random.pick([0, 0.5, 60, 31_622_400]) }],
    ["exec", { command: ["true"] }],
    // Nobody ever runs these: no worker with hands serves the fuzzer's queues.
    ["exec", { command: ["printf", "%s", "ä\n\t\u0001"], env: { A: "b" }, cwd: "/" }],
    ["exec", { command: ["exit 3"], shell: true }],
  ]);
  return {
    kind,
    input,
    queue: random.pick(fuzzQueues),
    ...(random.chance(0.4) ? { id: random.pick(fuzzTasks) } : {}),
    ...(random.chance(0.3) ? { name: random.pick(["nap", "ünï", "𝒳", "a b"]) } : {}),
    ...(random.chance(0.2) ? { priority: random.pick([-1000, -1, 0, 1, 1000]) } : {}),
    ...(random.chance(0.2) ? { startAt: random.pick([0, 1, 7_258_118_400_000, 1_900_000_000_000]) } : {}),
    ...(random.chance(0.2) ? { attemptsMax: random.pick([1, 1000]) } : {}),
    ...(random.chance(0.2) ? { killsMax: random.pick([0, 1, 1_000_000]) } : {}),
    ...(random.chance(0.2) ? { timeoutMs: random.pick([1, 1000, 31_622_400_000]) } : {}),
    ...(random.chance(0.2)
      ? { backoffBaseMs: random.pick([0, 31_622_400_000]), backoffFactor: 100, backoffMaxMs: 31_622_400_000 }
      : {}),
  };
}

/** Bodies whose parts must fit each other are made here; all others by their schemas alone. */
export const makers: Makers = {
  Submission: submission,
  AttachRequest: (random) => attachBody(random),
  ReportRequest: (random) =>
    reportBody(
      random,
      Array.from({ length: random.integer(0, 3) }, () => resultItem(random)),
    ),
  LogPost: (random) => ({
    session: "{{session}}",
    chunks: Array.from({ length: random.integer(0, 3) }, () => logPiece(random)),
  }),
};
