/** Runs the kind `container`: a container of this machine, which ends with its attempt, as a command does. */
import type { Json } from "../../model/json.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { AttemptEnd, IssuedAttempt } from "../../model/protocol.ts";
import type { Backend } from "../../ports/backend.ts";
import { hasRisen } from "./command.ts";
import { attemptEnvironment } from "./environment.ts";
import { isObject, isText, type KindRunner } from "./kindRunner.ts";
import { RunAttempt } from "./runAttempt.ts";
import { runKey } from "./runKey.ts";

export function containerRunner(backend: Backend): KindRunner {
  return {
    name: "container",

    start({ task, attempt: number, assignedAt, input, traceparent }, machine, onEnd, session) {
      if (!isContainerInput(input)) return "invalid";
      const { clock, log, boot, watchdog, processes } = machine;
      let oomKillsBefore: number | null = null;
      const attempt: IssuedAttempt = { task, attempt: number, assignedAt };
      const trace = traceparent === undefined ? {} : { TRACEPARENT: traceparent };
      const running = new RunAttempt({
        ...{ attempt, backend, clock, log },
        order: {
          ...{ task, attempt: number, input, key: runKey(attempt, boot) },
          environment: attemptEnvironment(trace, {}, machine, attempt),
        },
        steps: null,
        settings: {
          pollMs: defaults.containerPollMs,
          retryBaseMs: defaults.runRetryBaseMs,
          retryMaxMs: defaults.runRetryMaxMs,
          startTriesMax: 1,
          stopMsMax: limits.runStopMsMax,
          logMsMax: limits.runLogMsMax,
        },
        ready: async () => {
          await watchdog.ready();
          watchdog.watchContainers();
          oomKillsBefore = processes.countOomKills();
        },
        tell: (text) => session.tell({ kind: "progress", done: 0, text, at: clock.now() }),
        onOutput: (bytes) => machine.onOutput(attempt, bytes),
      });
      const finish = async (): Promise<void> => {
        const end = await running.run();
        onEnd(wasKilled(end) && hasRisen(oomKillsBefore, processes.countOomKills()) ? asOutOfMemory(end) : end);
      };
      void finish();
      return running;
    },
  };
}

/** Not every engine says why the kernel has killed a container. */
function wasKilled({ outcome, error, exit }: AttemptEnd): boolean {
  return outcome === "failed" && error?.code === "exit" && exit?.code === 137;
}

function asOutOfMemory(end: AttemptEnd): AttemptEnd {
  const message =
    "The container was ended by SIGKILL, and the kernel killed processes meanwhile because memory ran out.";
  return { ...end, error: { code: "oom", message } };
}

function isContainerInput(input: Json): boolean {
  return isObject(input) && isText(input["image"]) && Array.isArray(input["command"] ?? []);
}
