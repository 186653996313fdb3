/** The clients: each goes on submitting whatever becomes of its earlier calls, and looks at, cancels and repeats some of them. */
import { setTimeout as setTimeoutPromise } from "node:timers/promises";
import { OutlastError } from "../../model/errors.ts";
import type { Submission } from "../../model/submission.ts";
import { isFinal } from "../../model/task.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { SeededRandom } from "../cluster/random.ts";
import type { ClientLedger } from "./ledger.ts";
import { drawTask, type TaskOptions } from "./tasks.ts";

export interface ClientOptions extends TaskOptions {
  readonly session: string;
  /** 1, 2, 3 …: its calls are numbered from here. */
  readonly number: number;
  readonly seed: number;
  readonly masters: readonly string[];
  readonly token: string | null;
  /** Tasks a second. */
  readonly rate: number;
  readonly ledger: ClientLedger;
}

/** A call that nobody answers is given up after this: what became of it is then unknown. */
const callMsMax = 20_000;
/** So many calls may hang at once; further submits are left out until some are answered. */
const openCallsMax = 200;
const callsPerClient = 1_000_000;

const batchShare = 0.04;
const batchTasks = { min: 2, max: 10 };
/** Tasks per call, on average. */
const tasksPerCall = 1 + batchShare * ((batchTasks.min + batchTasks.max) / 2 - 1);
/** Of its calls, so many leave the choice of the id to the master, and are safe to repeat by their key alone. */
const keyOnlyShare = 0.2;
const watchedShare = 0.3;
const cancelledShare = 0.03;
const repeatedShare = 0.05;
/** The same id or key once more with other content, which must be refused. */
const forgedShare = 0.02;
const looksMax = 8;

interface Call {
  readonly key: string;
  readonly submissions: readonly Submission[];
}

export class ChaosClient {
  readonly #options: ClientOptions;
  readonly #random: SeededRandom;
  readonly #client: Outlast;
  readonly #open = new Set<Promise<void>>();
  /** What the SDK threw that it never should: anything but an `OutlastError`. */
  readonly surprises: string[] = [];
  readonly #abandoning = new AbortController();
  #calls = 0;
  #acknowledged = 0;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#client = createClient({ masters: options.masters, token: options.token, retryForMs: callMsMax });
  }

  /** Tasks that a master has acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Goes on until `stop`. */
  async run(): Promise<void> {
    const meanMs = (1000 * tasksPerCall) / this.#options.rate;
    while (!this.#isStopped) {
      await this.#pause(-Math.log(1 - this.#random.next()) * meanMs);
      if (this.#isStopped || this.#open.size >= openCallsMax) continue;
      this.#begin(this.#oneStory());
    }
  }

  /** Breaks off everything at once; for the end of a run that is broken off. */
  abandon(): void {
    this.#isStopped = true;
    this.#abandoning.abort();
    this.#wake();
  }

  /** Submits nothing more; resolves when everything that was begun has come to an end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    while (this.#open.size > 0) await Promise.all(this.#open);
    this.#options.ledger.close();
  }

  #begin(story: Promise<void>): void {
    const open: Promise<void> = story.then(
      () => void this.#open.delete(open),
      (error: unknown) => {
        this.#open.delete(open);
        if (this.#abandoning.signal.aborted) return;
        this.surprises.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      },
    );
    this.#open.add(open);
  }

  /** One submission, and what its client does about it afterwards. All is drawn before the first call, so that a seed decides it. */
  async #oneStory(): Promise<void> {
    const random = this.#random;
    const call = this.#drawCall();
    const draws = {
      isWatched: random.chance(watchedShare),
      isCancelled: random.chance(cancelledShare),
      isRepeated: random.chance(repeatedShare),
      isForged: random.chance(forgedShare),
      waitMs: 50 + random.next() * 1500,
    };
    const ids = await this.#submit(call);
    const [first] = ids;
    if (first === undefined) return;
    this.#acknowledged += ids.length;
    if (draws.isCancelled) {
      await pause(draws.waitMs, this.#abandoning.signal);
      await this.#cancel(first);
    }
    if (draws.isWatched) await this.#watch(first, draws.waitMs);
    if (draws.isRepeated) await this.#submit(call);
    if (draws.isForged) await this.#submit({ ...call, submissions: call.submissions.map(forged) });
  }

  #drawCall(): Call {
    const { session } = this.#options;
    const random = this.#random;
    const name = `${session}.${this.#calls}`;
    const hasOwnId = !random.chance(keyOnlyShare);
    const count = random.chance(batchShare)
      ? batchTasks.min + Math.floor(random.next() * (batchTasks.max - batchTasks.min + 1))
      : 1;
    const now = Date.now();
    const submissions = Array.from({ length: count }, (_, index) =>
      drawTask(random, hasOwnId ? `${name}.${index}` : null, now, this.#options),
    );
    return { key: `key-${name}`, submissions };
  }

  /** Ids of the tasks; none if the call did not succeed. */
  async #submit({ key, submissions }: Call): Promise<readonly string[]> {
    const { ledger, number } = this.#options;
    const { signal } = this.#abandoning;
    const call = number * callsPerClient + this.#calls++;
    const tasks = submissions.map((submission) => ({ id: submission.id ?? null, body: JSON.stringify(submission) }));
    ledger.write({ kind: "submit-invoke", call, key, tasks });
    try {
      const [only] = submissions;
      const created =
        submissions.length === 1 && only !== undefined
          ? [await this.#client.submit(only, { key, signal })]
          : await this.#client.submitAll(submissions, { key, signal });
      const ids = created.map((task) => task.id);
      ledger.write({ kind: "submit-ok", call, ids });
      return ids;
    } catch (error) {
      const code = codeOf(error);
      ledger.write({ kind: isUnknown(code) ? "submit-info" : "submit-fail", call, code });
      return [];
    }
  }

  async #cancel(task: string): Promise<void> {
    const { ledger } = this.#options;
    try {
      await this.#client.cancel(task, { signal: this.#abandoning.signal });
      ledger.write({ kind: "cancel-ok", task });
    } catch (error) {
      const code = codeOf(error);
      ledger.write({ kind: isUnknown(code) ? "cancel-info" : "cancel-fail", task, code });
    }
  }

  /** Looks again and again until the task has come to its end. */
  async #watch(task: string, everyMs: number): Promise<void> {
    for (let looks = 0; looks < looksMax; looks++) {
      await pause(everyMs, this.#abandoning.signal);
      try {
        const { state, attempt } = await this.#client.get(task, { signal: this.#abandoning.signal });
        this.#options.ledger.write({ kind: "read", task, state, attempt });
        if (isFinal(state)) return;
      } catch (error) {
        this.#options.ledger.write({ kind: "read-fail", task, code: codeOf(error) });
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function forged(submission: Submission): Submission {
  return { ...submission, priority: 7 };
}

/** Whoever got no usable answer cannot know whether it was done. */
function isUnknown(code: string): boolean {
  return code === "unavailable" || code === "not-leader" || code === "internal" || code === "too-many";
}

function codeOf(error: unknown): string {
  if (error instanceof OutlastError) return error.code;
  throw error;
}

/** Rejects when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeoutPromise(ms, undefined, { signal });
}
