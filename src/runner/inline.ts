/** Loads handlers into the worker's own process and runs them there. */

import type { HandlerStart, InlineOutside } from "../ports/runner.ts";
import type { AttemptSession } from "../ports/work.ts";
import { HandlerRun } from "../sdk/handler/handlerRun.ts";
import type { HandlerPort } from "../sdk/handler/port.ts";
import { useOwnSdkIfNoneIsInstalled } from "./sdkResolution.ts";
import { loadTasks, type TaskFile } from "./taskFiles.ts";

/** After so many turns of the event loop in which only durable waits are left, nothing else is waited for. */
const quietTurns = 3;

/** @throws Error with all problems, one a line */
export async function loadInlineHandlers(files: readonly TaskFile[]) {
  useOwnSdkIfNoneIsInstalled();
  const { definitions, problems } = await loadTasks(files);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return {
    run(start: HandlerStart, session: AttemptSession, outside: InlineOutside) {
      const definition = definitions.get(start.kind);
      if (definition === undefined) throw new Error(`There is no handler ${start.kind}.`);
      const port = portOver(session, outside);
      const run: HandlerRun = new HandlerRun(definition, start, { ...port, onWaiting: () => settleWhenQuiet(run) });
      run.run();
      return run;
    },
  };
}

function portOver(session: AttemptSession, outside: InlineOutside): HandlerPort {
  return {
    send: (content) => session.send(content),
    tell: (content) => session.tell(content),
    readChildren: (key, from) => session.readChildren(key, from),
    now: () => Date.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    log: (text) => outside.log(text),
    files: (asked) => outside.files(asked),
  };
}

/**
 * Nobody can say of a shared process whether anything in it still belongs to this handler. So a promise from elsewhere is not waited
 * for: once only durable waits of `ctx` are left for a few turns, the attempt is suspended.
 */
function settleWhenQuiet(run: HandlerRun, turnsLeft = quietTurns): void {
  setImmediate(() => {
    if (!run.isWaiting) return;
    if (turnsLeft > 1) settleWhenQuiet(run, turnsLeft - 1);
    else run.settle();
  });
}
