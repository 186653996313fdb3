/** Bugs planted where runs of backends are started, taken up, watched and stopped. */
import type { Mutant } from "./mutant.ts";

const attempt = "src/worker/executors/runAttempt.ts";
const steps = "src/worker/executors/runSteps.ts";
const remote = "src/backends/remote/backend.ts";

export const backendMutants: readonly Mutant[] = [
  {
    name: "starts a run before its key is on record",
    patches: [{ file: attempt, search: "    await steps?.begin(run);\n", replace: "" }],
  },
  {
    name: "does not keep what the backend calls a run",
    patches: [
      {
        file: attempt,
        search: "await steps?.noteHandle(run, handle).catch(",
        replace: "await Promise.resolve().catch(",
      },
    ],
  },
  {
    name: "starts a new run although the last one has succeeded",
    patches: [
      {
        file: attempt,
        search: 'if (latest?.end?.kind === "ended" && latest.end.outcome === "success") return latest;',
        replace: "",
      },
    ],
  },
  {
    name: "takes a run up that is known to have failed",
    patches: [{ file: attempt, search: "      await this.#parts.steps?.noteEnd(run, state);\n", replace: "" }],
  },
  {
    name: "stops the jobs of a worker that drains",
    patches: [
      {
        file: attempt,
        search: 'const isWanted = cause === "killed" || cause === "drain";',
        replace: 'const isWanted = cause === "killed";',
      },
    ],
  },
  {
    name: "leaves a container running when its worker stops",
    patches: [{ file: attempt, search: "(isWanted && steps !== null)", replace: "isWanted" }],
  },
  {
    name: "fails a task because its backend does not answer",
    patches: [
      {
        file: attempt,
        search: 'if (state.kind === "ended" || state.kind === "gone") return state;\n      unknown',
        replace: 'if (state.kind !== "running" && state.kind !== "pending") return { kind: "gone" };\n      unknown',
      },
    ],
  },
  {
    name: "gives a stop up that the backend has not heard",
    patches: [
      {
        file: attempt,
        search: "if (clock.now() >= this.#killAt + settings.stopMsMax) {",
        replace: "if (tries > 0) {",
      },
    ],
  },
  {
    name: "takes the oldest run of a task for the latest",
    patches: [{ file: steps, search: "numbers.sort((a, b) => a - b)", replace: "numbers.sort((a, b) => b - a)" }],
  },
  {
    name: "passes the whole output on each time it is asked for",
    patches: [{ file: remote, search: "logs.isWhole === true ? body.subarray(offset) : body", replace: "body" }],
  },
  {
    name: "fails to forget a run that is gone",
    patches: [{ file: remote, search: "      if (!isGone(error)) throw error;\n", replace: "      throw error;\n" }],
  },
  {
    name: "takes a run that its service does not have for one that cannot be seen",
    patches: [{ file: remote, search: '      if (isGone(error)) return { kind: "gone" };\n', replace: "" }],
  },
  {
    // The leader has it stopped all the same, where the service can list its jobs.
    name: "does not stop a job whose task was cancelled while it was started",
    patches: [
      {
        file: attempt,
        search: "if (!(this.#isStopped && error instanceof AttemptOver)) throw error;",
        replace: "throw error;",
      },
    ],
  },
  {
    name: "does not tell a worker that comes back which attempts are over",
    patches: [
      {
        file: "src/core/agent/agent.ts",
        search: "this.#attempts.abort(now, ref, reason, out);",
        replace: 'this.#attempts.abort(now, ref, reason === "cancelled" ? "killed" : reason, out);',
      },
    ],
  },
];
