/** What an attempt makes of its run: what it takes up, what it starts anew, what it stops and what it leaves alone. */
import { describe, expect, test } from "vitest";
import type { Json } from "../../model/json.ts";
import type { AbortCause, AttemptEnd } from "../../model/protocol.ts";
import {
  type Backend,
  BackendTrouble,
  type RunHandle,
  type RunOrder,
  RunRefused,
  type RunState,
} from "../../ports/backend.ts";
import type { AttemptSession } from "../../ports/work.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { sessionThatEnds } from "../../proof/fakes/sessions.ts";
import { RunAttempt } from "./runAttempt.ts";
import { RunSteps } from "./runSteps.ts";

const settings = { pollMs: 100, retryBaseMs: 10, retryMaxMs: 40, startTriesMax: 3, stopMsMax: 1_000, logMsMax: 1_000 };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A service in memory, which does at once what it is told, and answers as the test wants. */
class MemoryBackend implements Backend {
  readonly calls: string[] = [];
  readonly states = new Map<string, RunState>();
  readonly output = new Map<string, string>();
  /** What the next calls come to instead. */
  readonly troubles: Error[] = [];

  async start({ key }: RunOrder): Promise<RunHandle> {
    this.#note(`start ${key}`);
    if (!this.states.has(key)) this.states.set(key, { kind: "running" });
    return { key, id: `id-of-${key}` };
  }

  async inspect({ key }: RunHandle): Promise<RunState> {
    return this.states.get(key) ?? { kind: "gone" };
  }

  async stop({ key }: RunHandle): Promise<void> {
    this.#note(`stop ${key}`);
    if (this.states.get(key)?.kind === "running") this.states.set(key, { kind: "ended", outcome: "stopped" });
  }

  async *logs({ key }: RunHandle, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    const bytes = Buffer.from(this.output.get(key) ?? "").subarray(offset);
    if (bytes.length > 0) yield bytes;
  }

  async list(): Promise<readonly RunHandle[]> {
    return [...this.states.keys()].map((key) => ({ key, id: `id-of-${key}` }));
  }

  async forget({ key }: RunHandle): Promise<void> {
    this.#note(`forget ${key}`);
  }

  #note(call: string): void {
    this.calls.push(call);
    const trouble = this.troubles.shift();
    if (trouble !== undefined) throw trouble;
  }
}

/** One task, its memory, and the service that runs it. */
class Stage {
  readonly clock = new FakeClock();
  readonly backend = new MemoryBackend();
  readonly steps = new Map<string, Json>();
  readonly told: string[] = [];
  isOver = false;
  log = "";

  attempt(number: number, isKept = true): { readonly run: RunAttempt; readonly end: Promise<AttemptEnd> } {
    const attempt = { task: "t" as never, attempt: number, assignedAt: number };
    const run = new RunAttempt({
      ...{ attempt, settings, clock: this.clock, log: silent, backend: this.backend },
      order: { task: "t" as never, attempt: number, key: `k${number}`, input: null, environment: {} },
      steps: isKept ? new RunSteps(this.#session()) : null,
      tell: (text) => void this.told.push(text),
      onOutput: (bytes) => {
        this.log += Buffer.from(bytes).toString();
      },
    });
    return { run, end: run.run() };
  }

  /** Lets time pass, and then everything that was begun come to rest. */
  settle(passMs = 0): Promise<void> {
    return this.clock.advance(passMs);
  }

  async endOf(end: Promise<AttemptEnd>): Promise<AttemptEnd> {
    let found: AttemptEnd | null = null;
    void end.then((value) => {
      found = value;
    });
    for (let round = 0; found === null && round < 100; round += 1) await this.settle(50);
    expect(found).not.toBeNull();
    return end;
  }

  #session(): AttemptSession {
    return {
      ...sessionThatEnds(() => {}),
      readSteps: async () => ({ steps: [...this.steps].map(([key, value]) => ({ key, step: { value } })), next: null }),
      send: async (content) => {
        if (this.isOver) return { verdict: "stale" };
        if (content.kind === "step") this.steps.set(content.key, content.value);
        return { verdict: "committed" };
      },
    };
  }
}

const failed: RunState = { kind: "ended", outcome: "failed", exitCode: 3 };
const succeeded: RunState = { kind: "ended", outcome: "success", exitCode: 0, output: { rows: 7 } };

test("key and handle are on record before anything else, and the end before the result", async () => {
  const stage = new Stage();
  stage.backend.output.set("k1", "all of it");
  const { end } = stage.attempt(1);
  await stage.settle();
  expect([...stage.steps]).toEqual([
    ["run 1", { key: "k1" }],
    ["handle 1", { key: "k1", id: "id-of-k1" }],
  ]);
  stage.backend.states.set("k1", succeeded);
  expect(await stage.endOf(end)).toMatchObject({ outcome: "success", output: { rows: 7 }, exit: { code: 0 } });
  expect(stage.steps.get("end 1")).toEqual(succeeded);
  expect(stage.backend.calls).toEqual(["start k1", "forget k1"]);
  expect(stage.log).toBe("all of it");
});

test("a failed run is over: the next attempt starts one of its own", async () => {
  const stage = new Stage();
  const first = stage.attempt(1);
  await stage.settle();
  stage.backend.states.set("k1", failed);
  expect(await stage.endOf(first.end)).toMatchObject({ outcome: "failed", error: { code: "exit" }, exit: { code: 3 } });
  const second = stage.attempt(2);
  await stage.settle();
  expect(stage.backend.calls.filter((call) => call.startsWith("start"))).toEqual(["start k1", "start k2"]);
  stage.backend.states.set("k2", succeeded);
  expect(await stage.endOf(second.end)).toMatchObject({ outcome: "success" });
});

test("of several runs it takes up the latest", async () => {
  const stage = new Stage();
  for (const number of [2, 10]) {
    stage.steps.set(`run ${number}`, { key: `k${number}` }).set(`handle ${number}`, { key: `k${number}`, id: "i" });
  }
  stage.steps.set("end 2", failed);
  stage.backend.states.set("k10", succeeded);
  expect(await stage.endOf(stage.attempt(11).end)).toMatchObject({ outcome: "success" });
  expect(stage.backend.calls).toEqual(["forget k10"]);
});

test("a success that was never reported is reported, and nothing is started", async () => {
  const stage = new Stage();
  stage.steps.set("run 1", { key: "k1" }).set("handle 1", { key: "k1", id: "i" }).set("end 1", succeeded);
  expect(await stage.endOf(stage.attempt(2).end)).toMatchObject({ outcome: "success", output: { rows: 7 } });
  expect(stage.backend.calls).toEqual(["forget k1"]);
});

describe("an attempt that must let go", () => {
  test.each<AbortCause>(["drain", "killed"])("leaves the run alone: %s", async (cause) => {
    const stage = new Stage();
    const first = stage.attempt(1);
    await stage.settle();
    first.run.abort(5_000, cause);
    expect(await stage.endOf(first.end)).toMatchObject({ outcome: "aborted" });
    await stage.settle(10_000);
    expect(stage.backend.calls).toEqual(["start k1"]);
    expect(stage.backend.states.get("k1")).toEqual({ kind: "running" });
    const second = stage.attempt(2);
    await stage.settle();
    stage.backend.states.set("k1", succeeded);
    expect(await stage.endOf(second.end)).toMatchObject({ outcome: "success" });
    expect(stage.backend.calls).toEqual(["start k1", "forget k1"]);
  });

  test.each<AbortCause>(["drain", "killed"])("stops a run that ends with its attempt: %s", async (cause) => {
    const stage = new Stage();
    const { run, end } = stage.attempt(1, false);
    await stage.settle();
    run.abort(0, cause);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "forget k1"]);
  });
});

describe("an attempt whose run nobody wants any more", () => {
  test.each<AbortCause>(["cancelled", "timeout"])("stops it: %s", async (cause) => {
    const stage = new Stage();
    const { run, end } = stage.attempt(1);
    await stage.settle();
    run.abort(5_000, cause);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "forget k1"]);
    expect(stage.steps.get("end 1")).toMatchObject({ outcome: "stopped" });
  });

  test("stops it until the backend has heard it, also if the leader does not listen any more", async () => {
    const stage = new Stage();
    const { run, end } = stage.attempt(1);
    await stage.settle();
    stage.isOver = true;
    stage.backend.troubles.push(new BackendTrouble("away"), new BackendTrouble("away"));
    run.abort(0, "cancelled");
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "stop k1", "stop k1", "forget k1"]);
  });

  test("finds it by its key if its start was broken off", async () => {
    const stage = new Stage();
    const { run, end } = stage.attempt(1);
    stage.backend.troubles.push(new BackendTrouble("no answer"));
    stage.backend.states.set("k1", { kind: "running" });
    await stage.settle();
    run.abort(0, "cancelled");
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "forget k1"]);
  });
});

test("a run that was stopped or lost while no worker watched it is started anew, in the same attempt", async () => {
  for (const state of [{ kind: "ended", outcome: "stopped" }, { kind: "gone" }] as const) {
    const stage = new Stage();
    stage.steps.set("run 1", { key: "k1" }).set("handle 1", { key: "k1", id: "i" });
    if (state.kind === "ended") stage.backend.states.set("k1", state);
    const { end } = stage.attempt(2);
    await stage.settle();
    stage.backend.states.set("k2", succeeded);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "success" });
    expect(stage.backend.calls).toContain("start k2");
  }
});

test("a run that is stopped or lost under the eyes of its worker has failed", async () => {
  for (const [state, code] of [
    [{ kind: "ended", outcome: "stopped" }, "stopped"],
    [{ kind: "gone" }, "lost"],
  ] as const) {
    const stage = new Stage();
    const { end } = stage.attempt(1);
    await stage.settle();
    stage.backend.states.set("k1", state);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "failed", error: { code } });
  }
});

test("that a backend does not answer is told, and fails nothing", async () => {
  const stage = new Stage();
  const { end } = stage.attempt(1);
  await stage.settle();
  stage.backend.states.set("k1", { kind: "unknown", message: "no route" });
  for (let round = 0; round < 20; round += 1) await stage.settle(100);
  expect(stage.told).toEqual(["running", "unknown: no route"]);
  stage.backend.states.set("k1", succeeded);
  expect(await stage.endOf(end)).toMatchObject({ outcome: "success" });
});

describe("a start", () => {
  test("that the backend refuses for good fails the task", async () => {
    const stage = new Stage();
    stage.backend.troubles.push(new RunRefused("refused", "no such definition", true));
    expect(await stage.endOf(stage.attempt(1).end)).toMatchObject({
      outcome: "failed",
      error: { code: "non-retryable", message: "no such definition" },
    });
  });

  test("that comes to nothing is tried again with the same key, also by the next attempt", async () => {
    const stage = new Stage();
    stage.backend.troubles.push(...Array.from({ length: 3 }, () => new BackendTrouble("away")));
    expect(await stage.endOf(stage.attempt(1).end)).toMatchObject({ outcome: "failed", error: { code: "backend" } });
    const second = stage.attempt(2);
    await stage.settle();
    stage.backend.states.set("k1", succeeded);
    expect(await stage.endOf(second.end)).toMatchObject({ outcome: "success" });
    expect(new Set(stage.backend.calls.filter((call) => call.startsWith("start")))).toEqual(new Set(["start k1"]));
  });

  test("by an engine that does not work is not the task's fault", async () => {
    const stage = new Stage();
    stage.backend.troubles.push(...Array.from({ length: 3 }, () => new BackendTrouble("away")));
    const end = await stage.endOf(stage.attempt(1, false).end);
    expect(end).toMatchObject({ outcome: "aborted", error: { code: "machine" } });
  });
});
