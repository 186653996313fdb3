/** Handlers of simulated tasks, as scripts: steps, children, sleeps and waits for signals, run as the SDK runs a handler. */
import { foldItem, type StepRecord, type Wait } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptEnd, ItemAnswer } from "../../model/protocol.ts";
import type { Submission } from "../../model/submission.ts";
import { AttemptOver, type AttemptSession } from "../../ports/work.ts";
import { hashText } from "../checkers/hashText.ts";
import { type Bounds, keysOfBoth, type Operation, programKind } from "../checkers/scripts.ts";
import type { Random } from "./random.ts";

export function drawProgram(random: Random, depth = 0): Operation[] {
  return Array.from({ length: random.integer(1, 4) }, (_, index) => drawOperation(random, `op${index}`, depth));
}

function drawOperation(random: Random, key: string, depth: number): Operation {
  const share = random.next();
  if (share < 0.35) return { step: key, ms: random.spread(1, 3_000) };
  if (share < 0.5) return { sleep: key, ms: random.spread(10, 10_000) };
  if (share < 0.56) return { signal: key, timeoutMs: random.spread(10, 5_000) };
  if (share < 0.6) return { both: key, ms: random.spread(10, 3_000), timeoutMs: random.spread(100, 20_000) };
  if (share < 0.7) return { submit: key, task: drawChild(random, depth) };
  const tasks = Array.from({ length: random.integer(0, 6) }, () => drawChild(random, depth));
  const more: Bounds = {
    onFailure: random.pick(["wait", "cancel"]),
    ...(random.chance(0.3) && { failuresMax: random.integer(0, 2) }),
    ...(random.chance(0.4) && { concurrencyMax: random.integer(1, 3) }),
  };
  return { children: key, tasks, isStrict: random.chance(0.3), more };
}

function drawChild(random: Random, depth: number): Submission {
  const common = { attemptsMax: random.integer(1, 3), backoffBaseMs: 50, backoffMaxMs: 1_000 };
  if (depth < 2 && random.chance(0.25)) {
    return { ...common, kind: programKind, input: drawProgram(random, depth + 1) as unknown as Json };
  }
  const durationMs = random.spread(1, 5_000);
  if (random.chance(0.5)) return { ...common, kind: "sleep", input: { seconds: durationMs / 1000 } };
  const command = ["simulate", String(durationMs), String(random.pick([0, 20, 100]))];
  return { ...common, kind: "exec", input: { command } };
}

/** How a script ends: null if its attempt is over already, so that nothing of it counts any more. */
export type ProgramEnd = Pick<AttemptEnd, "outcome" | "waits" | "error"> | null;

/** What an execution of a script leaves behind, for those who judge it. */
export interface ProgramWitness {
  /** Stands for this execution, and is part of the value of each of its steps. */
  readonly token: string;
  /** The function of a step was run. */
  readonly ran: (key: string) => void;
  /** A master has said that it remembers the step. */
  readonly kept: (key: string) => void;
  /** The execution was told which task it has made under the key. */
  readonly made: (key: string, task: TaskId | undefined) => void;
}

export async function runProgram(
  operations: readonly Operation[],
  session: AttemptSession,
  pause: (ms: number) => Promise<void>,
  witness: ProgramWitness,
): Promise<ProgramEnd> {
  try {
    return await new Run(session, pause, witness).all(operations);
  } catch (error) {
    if (error instanceof AttemptOver) return null;
    throw error;
  }
}

class Run {
  readonly #session: AttemptSession;
  readonly #pause: (ms: number) => Promise<void>;
  readonly #witness: ProgramWitness;
  readonly #steps = new Map<string, StepRecord>();
  readonly #created = new Map<string, number>();

  constructor(session: AttemptSession, pause: (ms: number) => Promise<void>, witness: ProgramWitness) {
    this.#session = session;
    this.#pause = pause;
    this.#witness = witness;
  }

  async all(operations: readonly Operation[]): Promise<ProgramEnd> {
    for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await this.#session.readSteps(after);
      for (const { key, step } of page.steps) this.#steps.set(key, step);
      for (const { key, created } of page.family?.sets ?? []) this.#created.set(key, created);
      after = page.next;
    }
    for (const operation of operations) {
      const end = await this.#perform(operation);
      if (end !== undefined) return end;
    }
    return { outcome: "success" };
  }

  /** Undefined if the script goes on. */
  async #perform(operation: Operation): Promise<ProgramEnd | undefined> {
    if ("step" in operation) return this.#step(operation);
    if ("submit" in operation) {
      if (this.#steps.has(operation.submit)) return undefined;
      const { submit: key, task: submission } = operation;
      const answer = await this.#session.send({ kind: "submit", key, submission });
      if (answer.verdict === "committed") this.#witness.made(key, answer.made);
      return this.#told(answer);
    }
    if ("sleep" in operation) return this.#wait({ kind: "sleep", key: operation.sleep, ms: operation.ms });
    if ("signal" in operation) {
      const { signal: key, timeoutMs } = operation;
      return this.#wait({ kind: "signal", key, name: key, timeoutMs });
    }
    if ("both" in operation) {
      const { ms, timeoutMs } = operation;
      const { slept, signalled } = keysOfBoth(operation.both);
      const signal = { kind: "signal", key: signalled, name: signalled, timeoutMs } as const;
      return this.#wait({ kind: "sleep", key: slept, ms }, signal);
    }
    return this.#children(operation);
  }

  async #step({ step: key, ms }: Extract<Operation, { step: string }>): Promise<ProgramEnd | undefined> {
    if (this.#steps.has(key)) return undefined;
    await this.#pause(ms);
    this.#witness.ran(key);
    const end = this.#told(await this.#session.send({ kind: "step", key, value: { by: this.#witness.token } }));
    if (end === undefined) this.#witness.kept(key);
    return end;
  }

  async #children(operation: Extract<Operation, { children: string }>): Promise<ProgramEnd | undefined> {
    const { children: key, tasks, isStrict, more } = operation;
    const step = this.#steps.get(key);
    if (step === undefined) return (await this.#make(key, tasks, more)) ?? this.#wait({ kind: "children", key });
    if (!("children" in step)) throw new Error(`The step of ${key} is not one of children.`);
    const { total, failed } = step.children;
    let read = 0;
    for (let from: number | null = 0; from !== null; ) {
      const page = await this.#session.readChildren(key, from);
      read += page.children.length;
      from = page.next;
    }
    if (read !== total) throw new Error(`${total} children of ${key} have ended, and ${read} could be read.`);
    const error = { code: "child-failed", message: `${failed} children of ${key} failed` };
    return isStrict && failed > 0 ? { outcome: "failed", error } : undefined;
  }

  /** In chunks of two, so that something happens between them. What exists already is skipped; some say it again. */
  async #make(key: string, tasks: readonly Submission[], more: Bounds): Promise<ProgramEnd | undefined> {
    const begin = hashText(this.#witness.token) % 3 === 0 ? 0 : (this.#created.get(key) ?? 0);
    for (let first = begin; first < Math.max(tasks.length, begin + 1); first += 2) {
      const submissions = tasks.slice(first, first + Math.min(2, limits.childrenPerItemMax));
      const before = tasks.slice(0, first).reduce(foldItem, "");
      const isLast = first + 2 >= tasks.length;
      const end = this.#told(
        await this.#session.send({ kind: "children", key, first, submissions, before, isLast, ...more }),
      );
      if (end !== undefined) return end;
    }
    return undefined;
  }

  #wait(...waits: readonly Wait[]): ProgramEnd | undefined {
    const open = waits.filter(({ key }) => !this.#steps.has(key));
    return open.length === 0 ? undefined : { outcome: "suspended", waits: open };
  }

  #told(answer: ItemAnswer): ProgramEnd | undefined {
    switch (answer.verdict) {
      case "committed":
        return undefined;
      case "stale":
        return null;
      case "refused":
        return { outcome: "failed", error: { code: "non-retryable", message: `${answer.code}: ${answer.message}` } };
      default:
        return answer satisfies never;
    }
  }
}
