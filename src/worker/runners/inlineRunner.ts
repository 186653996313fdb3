/** Runs handlers in the worker's own process: for many tiny tasks whose code is trusted not to block it. */
import type { IssuedAttempt } from "../../model/protocol.ts";
import type { HandlerEnding, HandlerStart, InlineOutside } from "../../ports/runner.ts";
import type { AttemptSession } from "../../ports/work.ts";
import type { KindRunner, Machine } from "../executors/kindRunner.ts";
import { AttemptFiles } from "./attemptFiles.ts";
import { readStart } from "./attemptStart.ts";

/** Handlers that are loaded into this process. */
export interface InlineHandlers {
  run(start: HandlerStart, session: AttemptSession, outside: InlineOutside): InlineRun;
}

export interface InlineRun {
  readonly ended: Promise<HandlerEnding>;
  /** Fires the handler's abort signal. */
  abort(reason: string): void;
}

/**
 * An inline attempt cannot be killed: one that does not heed its abort signal is given up after the grace, and its code may run on.
 */
export function inlineRunner(name: string, handlers: InlineHandlers): KindRunner {
  return {
    name,
    start(assignment, machine, onEnd, session) {
      const { clock } = machine;
      const startedAt = clock.now();
      const aborted = Promise.withResolvers<HandlerEnding>();
      let run: InlineRun | null = null;
      let isAborted = false;
      const execute = async (): Promise<HandlerEnding> => {
        const start = await readStart(assignment, session, startedAt);
        if (start === null || isAborted) return { outcome: "aborted" };
        const files = new AttemptFiles(machine, session);
        run = handlers.run(start, session, {
          log: logOf(machine, assignment),
          files: (asked) => files.answerWhileRunning(asked),
        });
        const end = await Promise.race([run.ended, aborted.promise]);
        await files.end();
        return isAborted ? { outcome: "aborted" } : end;
      };
      void Promise.race([execute(), aborted.promise]).then((end) => {
        onEnd({ ...end, startedAt, endedAt: clock.now() });
      });
      return {
        abort(graceMs) {
          isAborted = true;
          run?.abort("The attempt is aborted.");
          clock.at(clock.now() + graceMs, () => aborted.resolve({ outcome: "aborted" }));
        },
      };
    },
  };
}

function logOf(machine: Machine, { task, attempt, assignedAt }: IssuedAttempt): (text: string) => void {
  return (text) => void machine.onOutput({ task, attempt, assignedAt }, Buffer.from(`${text}\n`));
}
