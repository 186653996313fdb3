/** What a task remembers of the runs that were started for it: three steps for each, so that the next attempt knows how far it had come. */
import type { Json } from "../../model/json.ts";
import type { OpenRun } from "../../model/kinds/remote.ts";
import type { RunHandle, RunState } from "../../ports/backend.ts";
import { AttemptOver, type AttemptSession } from "../../ports/work.ts";

export interface BookedRun {
  /** The attempt that has begun it. */
  readonly number: number;
  readonly key: string;
  /** Null if it is not known whether it was started. */
  readonly handle: RunHandle | null;
}

/** How a run is over for its task. */
export type RunEnd =
  | Extract<RunState, { readonly kind: "ended" | "gone" }>
  | { readonly kind: "refused"; readonly message: string };

export interface LatestRun {
  readonly run: BookedRun;
  readonly end: RunEnd | null;
  /** It is over for its task, and may go on: a task of its own stops it, and needs it to be there. */
  readonly isLeft: boolean;
}

/** A master does not take what must be remembered. */
export class StepRefused extends Error {
  override readonly name = "StepRefused";
}

/**
 * The steps of the run that attempt 3 has begun: `run 3` before it is started, with its key; `handle 3` once it is known what the
 * backend calls it; `end 3` once it is over, before the result of the attempt: should the
 * worker die between the two, the next attempt knows that the run has succeeded.
 */
export class RunSteps {
  readonly #session: AttemptSession;
  readonly #service: string;

  /** @param service where the runs are; masters have those stopped whose task ends meanwhile */
  constructor(session: AttemptSession, service: string) {
    this.#session = session;
    this.#service = service;
  }

  /** The latest run, and how it ended if that is known; null if there is none. @throws AttemptOver */
  async findLatest(): Promise<LatestRun | null> {
    const steps = new Map<string, Json>();
    for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await this.#session.readSteps(after);
      for (const { key, step } of page.steps) if ("value" in step) steps.set(key, step.value);
      after = page.next;
    }
    const numbers = [...steps.keys()].flatMap((key) => /^run (\d+)$/.exec(key)?.[1] ?? []).map(Number);
    const number = numbers.sort((a, b) => a - b).at(-1);
    if (number === undefined) return null;
    const { key } = steps.get(`run ${number}`) as { key: string };
    const handle = (steps.get(`handle ${number}`) ?? null) as RunHandle | null;
    const end = (steps.get(`end ${number}`) ?? null) as (RunEnd & { readonly isLeft?: true }) | null;
    return { run: { number, key, handle }, end, isLeft: end?.isLeft === true };
  }

  /** @throws AttemptOver, StepRefused */
  async begin(run: BookedRun): Promise<void> {
    await this.#keep(`run ${run.number}`, { key: run.key }, { service: this.#service, key: run.key });
  }

  async noteHandle(run: BookedRun, { key, id }: RunHandle): Promise<void> {
    await this.#keep(`handle ${run.number}`, { key, id }, { service: this.#service, key, handle: id });
  }

  async noteEnd(run: BookedRun, end: RunEnd): Promise<void> {
    await this.#keep(`end ${run.number}`, { ...end }, null);
  }

  /** It could not be stopped. The task goes on without it, and a master has it stopped. */
  async noteLeft(run: BookedRun): Promise<void> {
    await this.#keep(`end ${run.number}`, { kind: "ended", outcome: "stopped", isLeft: true }, "left");
  }

  async #keep(key: string, value: Json, run: OpenRun | "left" | null): Promise<void> {
    const answer = await this.#session.send({ kind: "step", key, value, run });
    if (answer.verdict === "stale") throw new AttemptOver("The attempt has ended.");
    if (answer.verdict === "refused") throw new StepRefused(answer.message);
  }
}
