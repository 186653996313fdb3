/**
 * Runs attempts as parts of the traces that their tasks belong to: each attempt is a span, its steps are spans within, and what it
 * makes belongs to it. Without anybody who collects spans, children still belong to the trace of their parent.
 */
import type { AbortCause, Assignment, AttemptContent, AttemptEnd, AttemptRef } from "../model/protocol.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { AttemptSession, Executor } from "../ports/work.ts";

export class TracedExecutor implements Executor {
  readonly #executor: Executor;
  readonly #tracing: Tracing | null;

  constructor(executor: Executor, tracing: Tracing | null) {
    this.#executor = executor;
    this.#tracing = tracing;
  }

  get kinds(): readonly string[] {
    return this.#executor.kinds;
  }

  start(assignment: Assignment, session: AttemptSession): void {
    const { task, attempt, kind, name, traceparent = null } = assignment;
    const attributes = {
      "outlast.task.id": task,
      "outlast.task.name": name,
      "outlast.kind": kind,
      "outlast.attempt": attempt,
    };
    const span = this.#tracing?.begin(`attempt ${kind}`, traceparent, { kind: "consumer", attributes }) ?? null;
    const own = span?.traceparent ?? traceparent;
    if (own === null) return this.#executor.start(assignment, session);
    this.#executor.start(
      { ...assignment, traceparent: own },
      {
        end: (end) => {
          span?.end(problemOf(end));
          session.end(end);
        },
        send: (content) => session.send(this.#traced(content, own)),
        tell: (content) => session.tell(content),
        readSteps: (after) => session.readSteps(after),
        readChildren: (key, from) => session.readChildren(key, from),
        onMessage: (listener) => session.onMessage(listener),
      },
    );
  }

  abort(attempt: AttemptRef, graceMs: number, cause: AbortCause): void {
    this.#executor.abort(attempt, graceMs, cause);
  }

  async stop(): Promise<void> {
    await this.#executor.stop();
    await this.#tracing?.stop();
  }

  #traced(content: AttemptContent, traceparent: string): AttemptContent {
    if (content.kind === "children" || content.kind === "submit") return { ...content, traceparent };
    if (content.kind !== "step") return content;
    const { startedAt, ...step } = content;
    const when = startedAt === undefined ? {} : { startAt: startedAt };
    const attributes = { "outlast.step": step.key };
    this.#tracing?.begin(`step ${step.key}`, traceparent, { kind: "internal", attributes, ...when }).end();
    return step;
  }
}

/** Undefined for an attempt that did not fail. */
function problemOf({ outcome, error, exit }: AttemptEnd): string | undefined {
  if (outcome === "success" || outcome === "suspended") return undefined;
  const code = exit?.code ?? null;
  return error?.message ?? (code === null ? outcome : `exit code ${code}`);
}
