/** A real leader's brain and a real worker's, message by message, where an id is used again while a result's verdict is lost. */
import { expect, test } from "vitest";
import type { SchedulerEffect } from "../../src/core/scheduler/effects.ts";
import type { SchedulerInput } from "../../src/core/scheduler/inputs.ts";
import { Scheduler } from "../../src/core/scheduler/scheduler.ts";
import type { Write } from "../../src/model/entry.ts";
import type { SessionId, TaskId, WorkerId } from "../../src/model/ids.ts";
import { toSpec } from "../../src/model/submission.ts";
import type { TaskStatus } from "../../src/model/task.ts";
import { AgentScript } from "../../src/proof/fakes/agentScript.ts";
import { attachRequest } from "../../src/proof/fakes/attachRequest.ts";

const worker = "w" as WorkerId;
const id = "t" as TaskId;

class Pair {
  readonly agent = new AgentScript();
  readonly #leader = new Scheduler();
  status: TaskStatus | null = null;
  #session = "" as SessionId;
  #seq = 1;

  constructor() {
    this.#leader.activate(this.agent.now, 1, 1);
    this.agent.tell({ kind: "wake" });
    this.attach();
    this.agent.saveEpoch(1);
    this.open();
  }

  attach(): void {
    const { state } = this.agent.effects.findLast((effect) => effect.kind === "attach")!;
    const request = attachRequest({ running: state.running, outbox: state.outbox });
    for (const effect of this.#tell({ kind: "attach", request: 1, worker, host: "h", attach: request })) {
      if (effect.kind !== "reply" || effect.reply.kind !== "attached") continue;
      const { session, abort, verdicts } = effect.reply;
      this.#session = session;
      this.agent.answer({ session, abort, verdicts });
    }
  }

  open(): void {
    this.#deliver(this.#tell({ kind: "opened", worker, session: this.#session }));
  }

  submit(): void {
    const spec = toSpec({ kind: "sleep", input: { seconds: 1 } }, { id, fingerprint: null, now: this.agent.now });
    this.#deliver(this.#tell({ kind: "submit", request: 1, specs: [spec], lookup: null }));
  }

  forget(): void {
    this.#tell({ kind: "forget", seq: 1_000, tasks: [{ id, queue: "default", state: "success" }] });
  }

  /** The report that is under way reaches the leader. @param isAnswered whether its answer comes back */
  report({ isAnswered }: { isAnswered: boolean }): void {
    const { items } = this.agent.effects.findLast((effect) => effect.kind === "report")!;
    const effects = this.#tell({ kind: "report", request: 1, worker, session: this.#session, items });
    for (const effect of effects) {
      if (!isAnswered || effect.kind !== "reply" || effect.reply.kind !== "reported") continue;
      const answer = { epoch: 1, verdicts: effect.reply.verdicts };
      this.agent.tell({ kind: "reported", link: this.agent.link, answer });
    }
    this.#deliver(effects);
  }

  #tell(input: SchedulerInput): SchedulerEffect[] {
    this.#seq += 1;
    const out = { seq: this.#seq, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    for (const each of [input, { kind: "tick" } as const]) this.#leader.step(this.agent.now, each, out);
    for (const write of out.writes) if (write.kind === "status") this.status = write.status;
    return out.effects;
  }

  #deliver(effects: readonly SchedulerEffect[]): void {
    for (const effect of effects) {
      if (effect.kind !== "assign") continue;
      const payload = { name: "t", kind: "sleep", input: { seconds: 1 } } as const;
      const assignments = effect.attempts.map((attempt) => ({ ...attempt, ...payload }));
      this.agent.hear({ kind: "assign", epoch: 1, assignments });
    }
  }
}

test("the result of a forgotten task never becomes that of its successor, which runs", () => {
  const pair = new Pair();
  const { agent } = pair;
  pair.submit();
  pair.report({ isAnswered: true });
  agent.end("t/1", { output: "of the first" });
  agent.persist("t/1");
  pair.report({ isAnswered: false });
  expect(pair.status).toMatchObject({ state: "success", output: "of the first" });

  pair.forget();
  agent.pass(500);
  pair.submit();
  expect(pair.status).toMatchObject({ state: "running", attempt: 1 });
  agent.reportFails("timeout");
  agent.pass(1_000);
  pair.attach();
  pair.open();
  expect(agent.agent.view()).toMatchObject({ running: 1, unsettled: 0 });
  pair.report({ isAnswered: true });
  expect(pair.status).toMatchObject({ state: "running", attempt: 1 });

  agent.end("t/1", { output: "of the second" });
  agent.persist("t/1");
  pair.report({ isAnswered: true });
  expect(pair.status).toMatchObject({ state: "success", attempt: 1, kills: 0, output: "of the second" });
});
