/** Whatever happens in whatever order, the Agent keeps its promises: a random world plays against it and watches. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SessionId, TaskId } from "../../model/ids.ts";
import { attemptKey } from "../../model/ids.ts";
import type { Acknowledgement, AttemptRef, ReportItem, ResultItem } from "../../model/protocol.ts";
import { boot, incarnation } from "../../proof/fakes/agentScript.ts";
import { Agent } from "./agent.ts";
import type { AgentEffect } from "./effects.ts";
import type { AgentInput } from "./inputs.ts";
import { defaultAgentSettings } from "./options.ts";

/** One thing that the world does next; numbers pick among what there is to do it to. */
type Move =
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "assign"; readonly task: number; readonly attempt: number; readonly hasTimeout: boolean }
  | { readonly kind: "abort"; readonly task: number; readonly attempt: number }
  | { readonly kind: "send"; readonly pick: number }
  | { readonly kind: "end"; readonly pick: number; readonly outcome: "success" | "failed" }
  | {
      readonly kind:
        | "disk"
        | "answer"
        | "refuse"
        | "report"
        | "lose-report"
        | "break-report"
        | "close"
        | "beat"
        | "jump";
    };

const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 4000 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("assign" as const),
      task: fc.integer({ min: 0, max: 9 }),
      attempt: fc.integer({ min: 1, max: 3 }),
      hasTimeout: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("abort" as const),
      task: fc.integer({ min: 0, max: 9 }),
      attempt: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), pick: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      pick: fc.nat(),
      outcome: fc.constantFrom("success" as const, "failed" as const),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(["disk", "disk", "answer", "answer", "answer", "refuse", "report", "report", "report"] as const),
        ...(["lose-report", "break-report", "close", "beat", "beat", "jump"] as const),
      ),
    }),
  },
);

class RandomWorld {
  readonly agent: Agent;
  readonly capacity = 2;
  now = 1_000_000;
  link = 0;
  session: SessionId | null = null;
  isAttaching = false;
  report: readonly ReportItem[] | null = null;
  sessions = 0;
  readonly started = new Set<string>();
  readonly running = new Map<string, { readonly ref: AttemptRef; isDying: boolean }>();
  /** Ended by themselves: their results must arrive. */
  readonly finished = new Set<string>();
  readonly delivered = new Set<string>();
  /** Of each attempt: items that it sent, and those that a master has taken, in order. */
  readonly sent = new Map<string, number[]>();
  readonly taken = new Map<string, number[]>();
  tickets = 0;
  writing: ResultItem[] = [];
  readonly disk = new Set<string>();
  readonly epochsToSave: number[] = [];

  constructor() {
    const options = { boot, capacity: this.capacity, masters: ["http://a", "http://b"], outbox: [] };
    this.agent = new Agent({ ...options, epochMax: 0, incarnation: null, settings: defaultAgentSettings });
    this.tell({ kind: "wake" });
  }

  tell(input: AgentInput): void {
    const effects: AgentEffect[] = [];
    this.agent.step(this.now, input, { effects });
    for (const effect of effects) this.perform(effect);
    expect(this.running.size).toBeLessThanOrEqual(this.capacity);
    expect(this.agent.running).toBe(this.running.size);
    // Nothing may ask to be woken at once for ever.
    expect(this.agent.nextWakeAt() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(this.now);
  }

  perform(effect: AgentEffect): void {
    switch (effect.kind) {
      case "start": {
        const key = attemptKey(effect.assignment.task, effect.assignment.attempt);
        expect(this.started.has(key), `${key} started twice`).toBe(false);
        this.started.add(key);
        const { task, attempt } = effect.assignment;
        this.running.set(key, { ref: { task, attempt }, isDying: false });
        return;
      }
      case "abort": {
        const run = this.running.get(attemptKey(effect.task, effect.attempt));
        expect(run?.isDying, "aborted what does not run, or twice").toBe(false);
        if (run !== undefined) run.isDying = true;
        return;
      }
      case "attach":
        this.isAttaching = true;
        this.link = effect.link;
        this.checkInventory(effect.state.running, effect.state.outbox);
        return;
      case "report":
        expect(this.report, "two reports at a time").toBeNull();
        this.report = effect.items;
        for (const item of effect.items) {
          const isReal = item.kind === "result" && item.outcome !== "aborted";
          if (isReal) expect(this.disk.has(attemptKey(item.task, item.attempt)), "told before it was kept").toBe(true);
        }
        return;
      case "close-stream":
        this.session = null;
        this.report = null;
        return;
      case "acknowledge": {
        const key = attemptKey(effect.task, effect.attempt);
        if (effect.answer.verdict === "committed") {
          expect(this.taken.get(key), "answered and never taken").toContain(effect.ticket);
        } else this.sent.set(key, this.sent.get(key)?.filter((ticket) => ticket !== effect.ticket) ?? []);
        return;
      }
      case "persist": {
        const key = attemptKey(effect.result.task, effect.result.attempt);
        // The leader has given it up: nothing that it said counts any more.
        if (this.finished.has(key))
          expect(this.taken.get(key) ?? [], "kept before its items").toEqual(this.sent.get(key) ?? []);
        this.writing.push(effect.result);
        return;
      }
      case "save-epoch":
        this.epochsToSave.push(effect.epoch);
        return;
      case "forget":
        for (const { task, attempt } of effect.attempts) {
          const key = attemptKey(task, attempt);
          expect(this.delivered.has(key), `${key} forgotten before it was settled`).toBe(true);
          this.disk.delete(key);
        }
        return;
      default:
        return;
    }
  }

  /** An attach tells of every attempt that runs and of every result that nobody has settled. */
  checkInventory(running: readonly AttemptRef[], outbox: readonly AttemptRef[]): void {
    const told = new Set([...running, ...outbox].map(({ task, attempt }) => attemptKey(task, attempt)));
    for (const key of this.running.keys()) expect(told.has(key), `${key} runs and is not told`).toBe(true);
    for (const key of this.disk) expect(told.has(key), `${key} waits and is not told`).toBe(true);
  }

  play(move: Move): void {
    switch (move.kind) {
      case "pass":
        return this.pass(move.ms);
      case "assign": {
        const ref = { task: `t${move.task}` as TaskId, attempt: move.attempt };
        const assignment = {
          ...ref,
          assignedAt: 1,
          name: "n",
          kind: "sleep",
          input: null,
          timeoutMs: move.hasTimeout ? 700 : null,
        } as const;
        return this.hear({ kind: "assign", epoch: 1, assignments: [assignment] });
      }
      case "abort": {
        const attempts = [{ task: `t${move.task}` as TaskId, attempt: move.attempt }];
        if (this.session !== null)
          for (const { task, attempt } of attempts) this.finished.delete(attemptKey(task, attempt));
        return this.hear({ kind: "abort", epoch: 1, reason: "cancelled", attempts });
      }
      case "send": {
        const run = [...this.running.values()][move.pick % Math.max(1, this.running.size)];
        if (run === undefined || run.isDying) return;
        this.tickets += 1;
        const key = attemptKey(run.ref.task, run.ref.attempt);
        this.sent.set(key, [...(this.sent.get(key) ?? []), this.tickets]);
        const content = { kind: "progress", done: this.tickets, at: 0 } as const;
        return this.tell({ kind: "send", ...run.ref, ticket: this.tickets, content });
      }
      case "end":
        return this.endOne(move.pick, move.outcome);
      case "disk":
        return this.write();
      case "answer":
        return this.answer();
      case "refuse": {
        if (!this.isAttaching) return;
        this.isAttaching = false;
        const failure = { code: "unreachable", message: "", leader: null };
        return this.tell({ kind: "attach-failed", link: this.link, failure });
      }
      case "report":
        return this.takeReport();
      case "lose-report":
      case "break-report": {
        if (this.report === null) return;
        this.report = null;
        const code = move.kind === "lose-report" ? "timeout" : "unreachable";
        return this.tell({ kind: "report-failed", link: this.link, failure: { code, message: "", leader: null } });
      }
      case "close":
        if (this.session !== null) this.tell({ kind: "stream-closed", link: this.link, reason: "reset" });
        return;
      case "beat":
        return this.hear({ kind: "beat", epoch: 1 });
      case "jump":
        this.now += 5000;
        return this.tell({ kind: "jumped", byMs: 5000 });
      default:
        move satisfies never;
    }
  }

  pass(ms: number): void {
    const endAt = this.now + ms;
    for (let at = this.agent.nextWakeAt(); at !== null && at <= endAt; at = this.agent.nextWakeAt()) {
      this.now = at;
      this.tell({ kind: "wake" });
    }
    this.now = endAt;
  }

  hear(message: Extract<AgentInput, { kind: "message" }>["message"]): void {
    if (this.session !== null) this.tell({ kind: "message", link: this.link, message });
  }

  endOne(pick: number, outcome: "success" | "failed"): void {
    const run = [...this.running.values()][pick % Math.max(1, this.running.size)];
    if (run === undefined) return;
    const key = attemptKey(run.ref.task, run.ref.attempt);
    this.running.delete(key);
    if (!run.isDying) this.finished.add(key);
    const end = { outcome: run.isDying ? "aborted" : outcome, startedAt: this.now, endedAt: this.now } as const;
    this.tell({ kind: "ended", ...run.ref, end });
  }

  write(): void {
    for (const epoch of this.epochsToSave.splice(0)) this.tell({ kind: "epoch-saved", incarnation, epoch });
    const results = this.writing;
    this.writing = [];
    for (const { task, attempt } of results) this.disk.add(attemptKey(task, attempt));
    if (results.length > 0) this.tell({ kind: "persisted", attempts: results });
  }

  answer(): void {
    if (!this.isAttaching) return;
    this.isAttaching = false;
    this.sessions += 1;
    this.session = `s${this.sessions}` as SessionId;
    const common = { session: this.session, epoch: 1, incarnation, abort: [], verdicts: [], heartbeatMs: 1000 };
    const answer = { ...common, protocol: 2 };
    this.tell({ kind: "attached", link: this.link, answer });
  }

  takeReport(): void {
    if (this.report === null) return;
    const items = this.report;
    this.report = null;
    const acks: Acknowledgement[] = [];
    for (const item of items) {
      if (item.kind !== "result" && item.kind !== "progress") continue;
      const key = attemptKey(item.task, item.attempt);
      if (item.kind === "result") this.delivered.add(key);
      else if (!(this.taken.get(key) ?? []).includes(item.done))
        this.taken.set(key, [...(this.taken.get(key) ?? []), item.done]);
      if (item.id !== undefined) acks.push({ id: item.id, verdict: "committed" });
    }
    this.tell({ kind: "reported", link: this.link, answer: { epoch: 1, verdicts: [], acks } });
  }

  /** From here on all goes well. */
  heal(): void {
    for (let round = 0; round < 60; round += 1) {
      for (let count = this.running.size; count > 0; count -= 1) this.endOne(0, "success");
      this.write();
      this.answer();
      this.takeReport();
      this.hear({ kind: "beat", epoch: 1 });
      this.pass(200);
    }
  }
}

test("never above its capacity, never one attempt twice, never a result lost, whatever happens (I9, I30, I34)", () => {
  fc.assert(
    fc.property(fc.array(moves, { minLength: 10, maxLength: 120 }), (script) => {
      const world = new RandomWorld();
      for (const move of script) world.play(move);
      world.heal();
      for (const key of world.finished) expect(world.delivered.has(key), `${key} was never delivered`).toBe(true);
      expect(world.agent.view()).toMatchObject({ phase: "attached", running: 0, waiting: 0, unsettled: 0 });
      expect([...world.disk]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
