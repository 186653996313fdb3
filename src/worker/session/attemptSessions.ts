/** The attempts' side of the talk with the leader: gives each running attempt its session, and each item its answer. */
import type { AgentInput } from "../../core/agent/inputs.ts";
import { type ChildrenPage, type StepsPage, submittedIn } from "../../model/family.ts";
import { attemptKey, type TaskId } from "../../model/ids.ts";
import type { AttemptContent, AttemptEnd, AttemptRef, ItemAnswer } from "../../model/protocol.ts";
import type { AttemptSession, MessageToAttempt } from "../../ports/work.ts";
import type { FamilyReader } from "./familyReader.ts";

export class AttemptSessions {
  readonly #parts: SessionParts;

  constructor(reader: FamilyReader, feed: (input: AgentInput) => void) {
    this.#parts = { reader, feed, open: new Map(), lastTicket: 0 };
  }

  open(ref: AttemptRef, onEnd: (end: AttemptEnd) => void): AttemptSession {
    return new OpenSession(this.#parts, ref, onEnd);
  }

  acknowledge({ task, attempt }: AttemptRef, ticket: number, answer: ItemAnswer): void {
    this.#parts.open.get(attemptKey(task, attempt))?.answer(ticket, answer);
  }

  deliver({ task, attempt }: AttemptRef, message: MessageToAttempt): void {
    this.#parts.open.get(attemptKey(task, attempt))?.deliver(message);
  }
}

/** What all sessions of a worker share. */
interface SessionParts {
  readonly reader: FamilyReader;
  readonly feed: (input: AgentInput) => void;
  readonly open: Map<string, OpenSession>;
  lastTicket: number;
}

/** Every attempt has one, and most never say anything: it holds nothing until they do. */
class OpenSession implements AttemptSession {
  readonly #parts: SessionParts;
  readonly #task: TaskId;
  readonly #attempt: number;
  readonly #key: string;
  readonly #onEnd: (end: AttemptEnd) => void;
  #waiting: Map<number, (answer: ItemAnswer) => void> | null = null;
  #listener: ((message: MessageToAttempt) => void) | null = null;
  #unheard: MessageToAttempt[] | null = null;
  #isOver = false;

  constructor(parts: SessionParts, { task, attempt }: AttemptRef, onEnd: (end: AttemptEnd) => void) {
    this.#parts = parts;
    this.#task = task;
    this.#attempt = attempt;
    this.#key = attemptKey(task, attempt);
    this.#onEnd = onEnd;
    parts.open.set(this.#key, this);
  }

  end(end: AttemptEnd): void {
    const { open } = this.#parts;
    if (open.get(this.#key) === this) open.delete(this.#key);
    this.#close();
    this.#onEnd(end);
  }

  async send(content: AttemptContent): Promise<ItemAnswer> {
    const answer = await this.#ask(content);
    if (content.kind !== "submit" || answer.verdict !== "committed" || answer.made !== undefined) return answer;
    return { ...answer, made: await this.#readMade(content.key) };
  }

  #ask(content: AttemptContent): Promise<ItemAnswer> {
    if (this.#isOver) return Promise.resolve({ verdict: "stale" });
    this.#parts.lastTicket += 1;
    const ticket = this.#parts.lastTicket;
    this.#waiting ??= new Map();
    const waiting = this.#waiting;
    const answer = new Promise<ItemAnswer>((resolve) => waiting.set(ticket, resolve));
    this.#parts.feed({ kind: "send", ...this.#ref, ticket, content });
    return answer;
  }

  tell(content: AttemptContent): void {
    if (!this.#isOver) this.#parts.feed({ kind: "tell", ...this.#ref, content });
  }

  readSteps(after: string | null): Promise<StepsPage> {
    return this.#parts.reader.readSteps(this.#ref, () => this.#isOver, after);
  }

  readChildren(key: string, from: number): Promise<ChildrenPage> {
    return this.#parts.reader.readChildren(this.#ref, () => this.#isOver, key, from);
  }

  onMessage(listener: (message: MessageToAttempt) => void): void {
    this.#listener = listener;
    const unheard = this.#unheard ?? [];
    this.#unheard = null;
    for (const message of unheard) listener(message);
  }

  /** The task that a `submit` made whose first answer was lost, or came from a master that does not name it yet. */
  async #readMade(key: string): Promise<TaskId> {
    for (let after: string | null = null; ; ) {
      const { steps, next }: StepsPage = await this.readSteps(after);
      const found = steps.find((each) => each.key === key);
      const made = found === undefined ? undefined : submittedIn(found.step);
      if (made !== undefined) return made;
      if (next === null)
        throw new Error(`The leader has committed the submission "${key}" and remembers no step of it.`);
      after = next;
    }
  }

  answer(ticket: number, answer: ItemAnswer): void {
    this.#waiting?.get(ticket)?.(answer);
    this.#waiting?.delete(ticket);
  }

  deliver(message: MessageToAttempt): void {
    if (this.#listener !== null) return this.#listener(message);
    this.#unheard ??= [];
    this.#unheard.push(message);
  }

  get #ref(): AttemptRef {
    return { task: this.#task, attempt: this.#attempt };
  }

  /** Nobody of the attempt is left to hear an answer; promises are settled so that nothing is kept waiting. */
  #close(): void {
    this.#isOver = true;
    for (const resolve of this.#waiting?.values() ?? []) resolve({ verdict: "stale" });
    this.#waiting = null;
    this.#unheard = null;
  }
}
