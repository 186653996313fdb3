/** The attempts' side of the talk with the leader: gives each running attempt its session, and each item its answer. */
import type { AgentInput } from "../../core/agent/inputs.ts";
import type { ChildrenPage, StepsPage } from "../../model/family.ts";
import { attemptKey } from "../../model/ids.ts";
import type { AttemptContent, AttemptEnd, AttemptRef, ItemAnswer } from "../../model/protocol.ts";
import type { AttemptSession, MessageToAttempt } from "../../ports/work.ts";
import type { FamilyReader } from "./familyReader.ts";

export class AttemptSessions {
  readonly #feed: (input: AgentInput) => void;
  readonly #open = new Map<string, OpenSession>();
  readonly #reader: FamilyReader;
  #lastTicket = 0;

  constructor(reader: FamilyReader, feed: (input: AgentInput) => void) {
    this.#reader = reader;
    this.#feed = feed;
  }

  open({ task, attempt }: AttemptRef, onEnd: (end: AttemptEnd) => void): AttemptSession {
    const key = attemptKey(task, attempt);
    const session: OpenSession = new OpenSession({
      send: (content) => this.#send({ task, attempt }, session, content),
      tell: (content) => {
        if (!session.isOver) this.#feed({ kind: "tell", task, attempt, content });
      },
      readSteps: (after) => this.#reader.readSteps({ task, attempt }, () => session.isOver, after),
      readChildren: (setKey, from) => this.#reader.readChildren({ task, attempt }, () => session.isOver, setKey, from),
      onEnd: (end) => {
        if (this.#open.get(key) === session) this.#open.delete(key);
        session.close();
        onEnd(end);
      },
    });
    this.#open.set(key, session);
    return session;
  }

  acknowledge({ task, attempt }: AttemptRef, ticket: number, answer: ItemAnswer): void {
    this.#open.get(attemptKey(task, attempt))?.answer(ticket, answer);
  }

  deliver({ task, attempt }: AttemptRef, message: MessageToAttempt): void {
    this.#open.get(attemptKey(task, attempt))?.deliver(message);
  }

  #send(ref: AttemptRef, session: OpenSession, content: AttemptContent): Promise<ItemAnswer> {
    if (session.isOver) return Promise.resolve({ verdict: "stale" });
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    const answer = session.wait(ticket);
    this.#feed({ kind: "send", ...ref, ticket, content });
    return answer;
  }
}

interface SessionParts extends Pick<AttemptSession, "readSteps" | "readChildren"> {
  send(content: AttemptContent): Promise<ItemAnswer>;
  tell(content: AttemptContent): void;
  onEnd(end: AttemptEnd): void;
}

class OpenSession implements AttemptSession {
  readonly #parts: SessionParts;
  readonly #waiting = new Map<number, (answer: ItemAnswer) => void>();
  #listener: ((message: MessageToAttempt) => void) | null = null;
  #unheard: MessageToAttempt[] = [];
  isOver = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  end(end: AttemptEnd): void {
    this.#parts.onEnd(end);
  }

  send(content: AttemptContent): Promise<ItemAnswer> {
    return this.#parts.send(content);
  }

  tell(content: AttemptContent): void {
    this.#parts.tell(content);
  }

  readSteps(after: string | null): Promise<StepsPage> {
    return this.#parts.readSteps(after);
  }

  readChildren(key: string, from: number): Promise<ChildrenPage> {
    return this.#parts.readChildren(key, from);
  }

  onMessage(listener: (message: MessageToAttempt) => void): void {
    this.#listener = listener;
    for (const message of this.#unheard.splice(0)) listener(message);
  }

  wait(ticket: number): Promise<ItemAnswer> {
    return new Promise((resolve) => this.#waiting.set(ticket, resolve));
  }

  answer(ticket: number, answer: ItemAnswer): void {
    this.#waiting.get(ticket)?.(answer);
    this.#waiting.delete(ticket);
  }

  deliver(message: MessageToAttempt): void {
    if (this.#listener === null) this.#unheard.push(message);
    else this.#listener(message);
  }

  /** Nobody of the attempt is left to hear an answer; promises are settled so that nothing is kept waiting. */
  close(): void {
    this.isOver = true;
    for (const resolve of this.#waiting.values()) resolve({ verdict: "stale" });
    this.#waiting.clear();
    this.#unheard = [];
  }
}
