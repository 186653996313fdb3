/** Plays a script to an Agent and writes down what it wants done, one short line for each effect, so that tests read like a log. */
import { Agent } from "../../core/agent/agent.ts";
import type { AgentEffect } from "../../core/agent/effects.ts";
import type { AgentInput } from "../../core/agent/inputs.ts";
import { type AgentOptions, type AgentSettings, defaultAgentSettings } from "../../core/agent/options.ts";
import type { BootId, Incarnation, SessionId, TaskId } from "../../model/ids.ts";
import type {
  AbortReason,
  AttachAnswer,
  AttemptEnd,
  AttemptRef,
  IssuedAttempt,
  ItemAnswer,
  ReportAnswer,
  ReportItem,
  ResultItem,
  StreamMessage,
  Verdict,
} from "../../model/protocol.ts";
import { protocolVersions } from "../../model/protocol.ts";

export const boot = "boot-1" as BootId;
export const incarnation = "store-1" as Incarnation;

/** `t/1` is the first attempt of task `t`. */
export function ref(name: string): AttemptRef {
  const { task, attempt } = issued(name);
  return { task, attempt };
}

/** `t/1` as it was given out first; `t/1@7` is that of another task `t`, given out at 7. */
export function issued(name: string): IssuedAttempt {
  const [task, attempt, assignedAt = "1"] = name.split(/[/@]/);
  return { task: task as TaskId, attempt: Number(attempt), assignedAt: Number(assignedAt) };
}

export function resultOf(name: string, more: Partial<ResultItem> = {}): ResultItem {
  return { kind: "result", ...issued(name), boot, outcome: "success", startedAt: 0, endedAt: 0, ...more };
}

export class AgentScript {
  readonly agent: Agent;
  readonly effects: AgentEffect[] = [];
  /** The number of the last try to attach. */
  link = 0;
  now = 1_000_000;
  #sessions = 0;
  #underWay: readonly ReportItem[] = [];
  #protocol: number = protocolVersions.max;
  #lastTicket = 0;

  constructor(options: Partial<Omit<AgentOptions, "settings">> & { settings?: Partial<AgentSettings> } = {}) {
    this.agent = new Agent({
      boot,
      capacity: 2,
      masters: ["http://a"],
      outbox: [],
      epochMax: 0,
      incarnation: null,
      ...options,
      // Starts are told at once, unless a test is about when they are told.
      settings: { ...defaultAgentSettings, startedWaitMs: 0, ...options.settings },
    });
  }

  /** One that has found its leader. */
  static attached(options: ConstructorParameters<typeof AgentScript>[0] = {}): AgentScript {
    const script = new AgentScript(options);
    script.attach();
    return script;
  }

  /** Tells the Agent one thing. @returns what it wants done, notices left out */
  tell(input: AgentInput): string[] {
    const effects: AgentEffect[] = [];
    this.agent.step(this.now, input, { effects });
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.kind === "attach") this.link = effect.link;
      if (effect.kind === "report") this.#underWay = effect.items;
    }
    return effects.filter((effect) => effect.kind !== "notice").map(describe);
  }

  /** Lets time pass, waking the Agent whenever it asked for it. Each line is preceded by the ms since the call. */
  pass(ms: number): string[] {
    const startedAt = this.now;
    const endAt = this.now + ms;
    const lines: string[] = [];
    for (let at = this.agent.nextWakeAt(); at !== null && at <= endAt; at = this.agent.nextWakeAt()) {
      this.now = Math.max(this.now, at);
      lines.push(...this.tell({ kind: "wake" }).map((line) => `+${this.now - startedAt} ${line}`));
    }
    this.now = endAt;
    return lines;
  }

  /** A master answers the attach that is under way. */
  answer(more: Partial<AttachAnswer> = {}): string[] {
    this.#sessions += 1;
    const session = `s${this.#sessions}` as SessionId;
    const common = { session, epoch: 1, incarnation, abort: [], verdicts: [], heartbeatMs: 1000 };
    const answer = { ...common, protocol: protocolVersions.max, ...more };
    this.#protocol = answer.protocol;
    return this.tell({ kind: "attached", link: this.link, answer });
  }

  refuse(code: string, leader: string | null = null): string[] {
    return this.tell({ kind: "attach-failed", link: this.link, failure: { code, message: code, leader } });
  }

  /** The first attach, its answer, and the epoch on disk. */
  attach(more: Partial<AttachAnswer> = {}): string[] {
    this.tell({ kind: "wake" });
    this.answer(more);
    return this.saveEpoch(more.epoch ?? 1);
  }

  saveEpoch(epoch: number): string[] {
    return this.tell({ kind: "epoch-saved", incarnation, epoch });
  }

  hear(message: StreamMessage): string[] {
    return this.tell({ kind: "message", link: this.link, message });
  }

  beat(epoch = 1): string[] {
    return this.hear({ kind: "beat", epoch });
  }

  assign(
    names: readonly string[],
    { epoch = 1, timeoutMs = null }: { epoch?: number; timeoutMs?: number | null } = {},
  ): string[] {
    const payload = { name: "n", kind: "sleep", input: { seconds: 1 }, timeoutMs } as const;
    return this.hear({ kind: "assign", epoch, assignments: names.map((name) => ({ ...issued(name), ...payload })) });
  }

  /** @param name with its instant, as `t/1@7`, or without, as older masters say it */
  abort(name: string, reason: AbortReason = "cancelled"): string[] {
    const attempts = [name.includes("@") ? issued(name) : ref(name)];
    return this.hear({ kind: "abort", epoch: 1, reason, attempts });
  }

  end(name: string, more: Partial<AttemptEnd> = {}): string[] {
    const end = { outcome: "success", startedAt: this.now, endedAt: this.now, ...more } as const;
    return this.tell({ kind: "ended", ...ref(name), end });
  }

  persist(...names: readonly string[]): string[] {
    return this.tell({ kind: "persisted", attempts: names.map(ref) });
  }

  /** Ends an attempt and has its result on disk. */
  finish(name: string): string[] {
    return [...this.end(name), ...this.persist(name)];
  }

  /** The master takes the report that is under way. */
  reported(verdict: Verdict["verdict"] = "committed", epoch = 1): string[] {
    return this.tell({ kind: "reported", link: this.link, answer: this.answerTo(this.#underWay, verdict, epoch) });
  }

  /** What a master of the session's protocol answers to these items. */
  answerTo(items: readonly ReportItem[], verdict: Verdict["verdict"], epoch = 1): ReportAnswer {
    if (this.#protocol < 2) {
      const results = items.filter((item) => item.kind === "result");
      return { epoch, verdicts: results.map(({ task, attempt }) => ({ task, attempt, verdict })) };
    }
    const ids = items.flatMap((item) => ("id" in item && item.id !== undefined ? [item.id] : []));
    return { epoch, verdicts: [], acks: ids.map((id) => ({ id, verdict })) };
  }

  /** A running attempt sends progress and waits for the acknowledgement of the returned ticket. */
  send(name: string, done: number): string[] {
    this.#lastTicket += 1;
    const content = { kind: "progress", done, at: this.now } as const;
    return this.tell({ kind: "send", ...ref(name), ticket: this.#lastTicket, content });
  }

  /** A running attempt says how far it is. */
  progress(name: string, done: number): string[] {
    return this.tell({ kind: "tell", ...ref(name), content: { kind: "progress", done, at: this.now } });
  }

  reportFails(code: string): string[] {
    return this.tell({ kind: "report-failed", link: this.link, failure: { code, message: code, leader: null } });
  }

  /** The master answers the beat that went beside the report. */
  beatAnswered(epoch = 1): string[] {
    return this.tell({ kind: "beat-answered", link: this.link, epoch });
  }

  beatFails(code: string): string[] {
    return this.tell({ kind: "beat-failed", link: this.link, failure: { code, message: code, leader: null } });
  }

  /** A call to the master fails once it has been lost; the next session begins. */
  reattach(more: Partial<AttachAnswer> = {}): string[] {
    this.tell({ kind: "stream-closed", link: this.link, reason: "reset" });
    this.pass(5000);
    return this.answer(more);
  }

  notices(): string[] {
    return this.effects.filter((effect) => effect.kind === "notice").map((effect) => effect.message);
  }

  /** Why attempts were to be ended, in order. */
  get causes(): string[] {
    return this.effects
      .filter((effect) => effect.kind === "abort")
      .map(({ cause, ...attempt }) => `${names([attempt])} ${cause}`);
  }
}

function describe(effect: AgentEffect): string {
  switch (effect.kind) {
    case "attach": {
      const { running, outbox, isDraining, epochMax } = effect.state;
      const words = [`attach ${effect.address}`];
      if (running.length > 0) words.push(`running ${names(running)}`);
      if (outbox.length > 0) words.push(`outbox ${names(outbox)}`);
      if (isDraining) words.push("draining");
      if (epochMax > 0) words.push(`epoch ${epochMax}`);
      if (effect.state.relay === true) words.push("relayed");
      return words.join(", ");
    }
    case "open-stream":
      return `open ${effect.session}`;
    case "close-stream":
      return `close: ${effect.reason}`;
    case "report":
      return ["report", ...effect.items.map(describeItem)].join(" ");
    case "beat":
      return "beat";
    case "start":
      return `start ${names([effect.assignment])}`;
    case "abort":
      return `abort ${names([effect])}`;
    case "acknowledge":
      return `acknowledge ${effect.ticket} of ${names([effect])}: ${wordOf(effect.answer)}`;
    case "deliver":
      return `deliver ${effect.id} to ${names([effect])}`;
    case "persist":
      return `persist ${names([effect.result])} ${outcomeOf(effect.result)}`;
    case "forget":
      return `forget ${names(effect.attempts)}`;
    case "save-epoch":
      return `save epoch ${effect.epoch} of ${effect.incarnation}`;
    case "notice":
      return `${effect.level}: ${effect.message}`;
    case "finish":
      return "finish";
    default:
      return effect satisfies never;
  }
}

function describeItem(item: ReportItem): string {
  if (item.kind === "started") return `${names([item])}:started`;
  if (item.kind === "progress")
    return `${names([item])}:${item.id === undefined ? "" : `#${item.id} `}progress ${item.done}`;
  return item.kind === "result" ? `${names([item])}:${outcomeOf(item)}` : item.kind;
}

function wordOf(answer: ItemAnswer): string {
  return answer.verdict === "refused" ? `refused (${answer.code})` : answer.verdict;
}

function outcomeOf({ outcome, error }: ResultItem): string {
  return error === undefined ? outcome : `${outcome}(${error.code})`;
}

function names(refs: readonly AttemptRef[]): string {
  return refs.map(({ task, attempt }) => `${task}/${attempt}`).join("+");
}
