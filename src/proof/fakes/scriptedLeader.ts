/** The leader's part in one task that runs a handler, as a script: a test says what the waits end with and when something breaks. */
import {
  type ChildResult,
  type ChildrenOutcome,
  type ChildrenPage,
  foldItem,
  noItems,
  type OpenSet,
  type StepRecord,
  submittedIn,
  type Wait,
} from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import type { AttemptContent, ChildrenContent, ItemAnswer } from "../../model/protocol.ts";
import type { Submission } from "../../model/submission.ts";
import type { AnyTaskDefinition } from "../../sdk/handler/definition.ts";
import { HandlerRun } from "../../sdk/handler/handlerRun.ts";
import type { HandlerEnd, HandlerPort } from "../../sdk/handler/port.ts";

interface ChildSet {
  readonly submissions: Submission[];
  fingerprint: string;
  isSealed: boolean;
  readonly onFailure: ChildrenContent["onFailure"];
}

/** How a child ends: with an output, or with an error. */
export type ChildEnd = { readonly output: Json } | { readonly error: string };

export class ScriptedLeader implements HandlerPort {
  readonly steps = new Map<string, StepRecord>();
  readonly sets = new Map<string, ChildSet>();
  readonly submitted: Submission[] = [];
  readonly told: AttemptContent[] = [];
  readonly lines: string[] = [];
  /** Every item that was taken, by kind and key. */
  readonly items: string[] = [];
  readonly #ended = new Map<string, ChildResult[]>();
  /** Answers the next item instead of the leader; null lets it pass. */
  onItem: (content: AttemptContent) => ItemAnswer | null = () => null;
  pageSize = 2;
  attempt = 0;
  time = 1_000_000;
  current: HandlerRun | null = null;

  /** Runs one attempt to its end. */
  async run(definition: AnyTaskDefinition, input: Json = null): Promise<HandlerEnd> {
    this.attempt += 1;
    const sets: OpenSet[] = [...this.sets].map(([key, { submissions, fingerprint, isSealed }]) => ({
      key,
      created: submissions.length,
      fingerprint,
      isSealed,
    }));
    const start = {
      task: "task-1",
      attempt: this.attempt,
      kind: definition.name,
      input,
      parent: null,
      deadlineAt: null,
      steps: [...this.steps],
      sets: sets.filter(({ key }) => !this.steps.has(key)),
    };
    const run = new HandlerRun(definition, start, this);
    this.current = run;
    run.run();
    return run.ended;
  }

  /** Nothing of the handler can move by itself any more. A test calls this, since only it knows. */
  settle(): void {
    this.current?.settle();
  }

  /** Runs one attempt whose handler comes to rest at its waits. */
  async runToWaits(definition: AnyTaskDefinition, input: Json = null): Promise<readonly Wait[]> {
    const ended = this.run(definition, input);
    await turns();
    this.settle();
    const end = await ended;
    if (end.outcome !== "suspended") throw new Error(`ended instead of suspending: ${JSON.stringify(end)}`);
    return end.waits;
  }

  /** The children of a set end. */
  endChildren(key: string, ends: readonly ChildEnd[]): void {
    const children = ends.map((end, index): ChildResult => {
      const id = `task-1~${key}.${index}` as TaskId;
      if ("output" in end) return { index, id, name: id, state: "success", output: end.output };
      return { index, id, name: id, state: "failed", error: { code: "error", message: end.error } };
    });
    this.#ended.set(key, children);
    const failed = children.filter(({ state }) => state === "failed");
    const [first] = failed;
    const outcome: ChildrenOutcome = {
      total: children.length,
      succeeded: children.length - failed.length,
      failed: failed.length,
      cancelled: 0,
      ...(first !== undefined && {
        firstFailed: { index: first.index, id: first.id, ...(first.error && { error: first.error }) },
      }),
    };
    this.steps.set(key, { children: outcome });
  }

  async send(content: AttemptContent): Promise<ItemAnswer> {
    await turns(1);
    const scripted = this.onItem(content);
    if (scripted !== null) return scripted;
    if ("key" in content) this.items.push(`${content.kind} ${content.key}`);
    if (content.kind === "step") this.steps.set(content.key, { value: content.value });
    if (content.kind === "submit" && !this.steps.has(content.key)) {
      this.submitted.push(content.submission);
      this.steps.set(content.key, { value: { id: `made-${this.submitted.length}` } });
    }
    if (content.kind === "submit") return { verdict: "committed", ...this.#madeAs(content.key) };
    return content.kind === "children" ? this.#takeChildren(content) : { verdict: "committed" };
  }

  #madeAs(key: string): { made?: TaskId } {
    const step = this.steps.get(key);
    const made = step === undefined ? undefined : submittedIn(step);
    return made === undefined ? {} : { made };
  }

  tell(content: AttemptContent): void {
    this.told.push(content);
  }

  async readChildren(key: string, from: number): Promise<ChildrenPage> {
    const all = this.#ended.get(key) ?? [];
    const children = all.slice(from, from + this.pageSize);
    const next = from + children.length;
    return { children, next: next < all.length ? next : null };
  }

  now(): number {
    return this.time;
  }

  after(_ms: number, callback: () => void): () => void {
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  }

  log(text: string): void {
    this.lines.push(text);
  }

  #takeChildren({ key, first, submissions, before, isLast, onFailure }: ChildrenContent): ItemAnswer {
    const set = this.sets.get(key) ?? { submissions: [], fingerprint: noItems, isSealed: false, onFailure };
    this.sets.set(key, set);
    if (before !== set.submissions.slice(0, first).reduce(foldItem, noItems)) {
      return { verdict: "refused", code: "conflict", message: `child ${first} of "${key}" is another one than before` };
    }
    for (const [offset, submission] of submissions.entries()) {
      if (first + offset < set.submissions.length) continue;
      set.submissions.push(submission);
      set.fingerprint = foldItem(set.fingerprint, submission);
    }
    set.isSealed ||= isLast;
    return { verdict: "committed" };
  }
}

/** Lets everything go on that waits for nothing but other promises. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
