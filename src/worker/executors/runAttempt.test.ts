/** What an attempt makes of its run: what it takes up, what it starts anew, what it stops and what it leaves alone. */
import { describe, expect, test } from "vitest";
import type { AbortCause } from "../../model/protocol.ts";
import { BackendTrouble, RunRefused, type RunState } from "../../ports/backend.ts";
import { RunStage } from "../../proof/fakes/runStage.ts";

const failed: RunState = { kind: "ended", outcome: "failed", exitCode: 3 };
const succeeded: RunState = { kind: "ended", outcome: "success", exitCode: 0, output: { rows: 7 } };

test("key and handle are on record before anything else, and the end before the result", async () => {
  const stage = new RunStage();
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
  const stage = new RunStage();
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
  const stage = new RunStage();
  for (const number of [2, 10]) {
    stage.steps.set(`run ${number}`, { key: `k${number}` }).set(`handle ${number}`, { key: `k${number}`, id: "i" });
  }
  stage.steps.set("end 2", failed);
  stage.backend.states.set("k10", succeeded);
  expect(await stage.endOf(stage.attempt(11).end)).toMatchObject({ outcome: "success" });
  expect(stage.backend.calls).toEqual(["forget k10"]);
});

test("a success that was never reported is reported, and nothing is started", async () => {
  const stage = new RunStage();
  stage.steps.set("run 1", { key: "k1" }).set("handle 1", { key: "k1", id: "i" }).set("end 1", succeeded);
  expect(await stage.endOf(stage.attempt(2).end)).toMatchObject({ outcome: "success", output: { rows: 7 } });
  expect(stage.backend.calls).toEqual(["forget k1"]);
});

describe("an attempt that must let go", () => {
  test.each<AbortCause>(["drain", "killed"])("leaves the run alone: %s", async (cause) => {
    const stage = new RunStage();
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
    const stage = new RunStage();
    const { run, end } = stage.attempt(1, false);
    await stage.settle();
    run.abort(0, cause);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "forget k1"]);
  });
});

describe("an attempt whose run nobody wants any more", () => {
  test.each<AbortCause>(["cancelled", "timeout"])("stops it: %s", async (cause) => {
    const stage = new RunStage();
    const { run, end } = stage.attempt(1);
    await stage.settle();
    run.abort(5_000, cause);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "forget k1"]);
    expect(stage.steps.get("end 1")).toMatchObject({ outcome: "stopped" });
    expect(await end).toMatchObject({ error: { code: "run-stopped" } });
  });

  test("stops it until the backend has heard it, also if the leader does not listen any more", async () => {
    const stage = new RunStage();
    const { run, end } = stage.attempt(1);
    await stage.settle();
    stage.isOver = true;
    stage.backend.troubles.push(new BackendTrouble("away"), new BackendTrouble("away"));
    run.abort(0, "cancelled");
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "stop k1", "stop k1", "forget k1"]);
  });

  test("finds it by its key if its start was broken off", async () => {
    const stage = new RunStage();
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
    const stage = new RunStage();
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
    const stage = new RunStage();
    const { end } = stage.attempt(1);
    await stage.settle();
    stage.backend.states.set("k1", state);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "failed", error: { code } });
  }
});

test("that a backend does not answer is told, and fails nothing", async () => {
  const stage = new RunStage();
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
    const stage = new RunStage();
    stage.backend.troubles.push(new RunRefused("refused", "no such definition", true));
    expect(await stage.endOf(stage.attempt(1).end)).toMatchObject({
      outcome: "failed",
      error: { code: "non-retryable", message: "no such definition" },
    });
  });

  test("that comes to nothing is tried again with the same key, also by the next attempt", async () => {
    const stage = new RunStage();
    stage.backend.troubles.push(...Array.from({ length: 3 }, () => new BackendTrouble("away")));
    expect(await stage.endOf(stage.attempt(1).end)).toMatchObject({ outcome: "failed", error: { code: "backend" } });
    const second = stage.attempt(2);
    await stage.settle();
    stage.backend.states.set("k1", succeeded);
    expect(await stage.endOf(second.end)).toMatchObject({ outcome: "success" });
    expect(new Set(stage.backend.calls.filter((call) => call.startsWith("start")))).toEqual(new Set(["start k1"]));
  });

  test("by an engine that does not work is not the task's fault", async () => {
    const stage = new RunStage();
    stage.backend.troubles.push(...Array.from({ length: 3 }, () => new BackendTrouble("away")));
    const end = await stage.endOf(stage.attempt(1, false).end);
    expect(end).toMatchObject({ outcome: "aborted", error: { code: "machine" } });
  });
});

describe("what masters are told of a run, so that they have it stopped", () => {
  test("its key before it is started, what the service calls it afterwards, and that it has ended", async () => {
    const stage = new RunStage();
    stage.backend.troubles.push(new BackendTrouble("away"));
    const { end } = stage.attempt(1);
    await stage.settle();
    expect(stage.openRun).toEqual({ service: "batch", key: "k1" });
    await stage.settle(20);
    expect(stage.openRun).toEqual({ service: "batch", key: "k1", handle: "id-of-k1" });
    stage.backend.states.set("k1", succeeded);
    await stage.endOf(end);
    expect(stage.openRun).toBeNull();
  });

  test("that it could not be stopped", async () => {
    const stage = new RunStage();
    const { run, end } = stage.attempt(1);
    await stage.settle();
    stage.backend.troubles.push(...Array.from({ length: 1_000 }, () => new BackendTrouble("away")));
    run.abort(0, "timeout");
    expect(await stage.endOf(end)).not.toHaveProperty("error");
    expect(stage.openRun).toBe("left");
    // The next attempt leaves it where it is: whoever is to stop it would take it for gone.
    stage.backend.troubles.length = 0;
    stage.backend.calls.length = 0;
    stage.attempt(2);
    await stage.settle();
    expect(stage.backend.calls).toEqual(["start k2"]);
  });

  test("that it cannot be told whether a start that broke off has made one, where its service has no list", async () => {
    const stage = new RunStage();
    stage.backend.hasList = false;
    stage.backend.troubles.push(new BackendTrouble("away"));
    const { run, end } = stage.attempt(1);
    await stage.settle();
    run.abort(0, "timeout");
    expect(await stage.endOf(end)).not.toHaveProperty("error");
    expect(stage.openRun).toBe("left");
  });

  test("that a worker which drains has let go of it, also in the midst of a stop", async () => {
    const stage = new RunStage();
    const { run, end } = stage.attempt(1);
    await stage.settle();
    stage.backend.troubles.push(...Array.from({ length: 1_000 }, () => new BackendTrouble("away")));
    run.abort(5_000, "cancelled");
    await stage.settle();
    run.abort(5_000, "drain");
    expect(await stage.endOf(end)).not.toHaveProperty("error");
  });

  test("a run is stopped whose attempt was cancelled while it was started", async () => {
    const stage = new RunStage();
    const started = Promise.withResolvers<void>();
    const start = stage.backend.start.bind(stage.backend);
    stage.backend.start = async (order) => {
      await started.promise;
      return start(order);
    };
    const { run, end } = stage.attempt(1);
    await stage.settle();
    run.abort(0, "cancelled");
    stage.isOver = true;
    started.resolve();
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
    expect(stage.backend.calls).toEqual(["start k1", "stop k1", "forget k1"]);
  });
});

describe("a task that stops a run", () => {
  test("stops it, and succeeds once it has ended", async () => {
    const stage = new RunStage();
    stage.backend.states.set("k1", { kind: "running" });
    const { end } = stage.stopping({ key: "k1", id: "id-of-k1" });
    expect(await stage.endOf(end)).toMatchObject({ outcome: "success", output: { wasFound: true } });
    expect(stage.backend.calls).toEqual(["stop k1", "forget k1"]);
  });

  test("finds a run by its key that another worker was starting", async () => {
    const stage = new RunStage();
    const { end } = stage.stopping(null);
    await stage.settle(5_000);
    stage.backend.states.set("k1", { kind: "running" });
    expect(await stage.endOf(end)).toMatchObject({ outcome: "success", output: { wasFound: true } });
    expect(stage.backend.states.get("k1")).toMatchObject({ outcome: "stopped" });
  });

  test("fails for good if it is not known whether there is one, and its service has no list", async () => {
    const stage = new RunStage();
    stage.backend.hasList = false;
    const { end } = stage.stopping(null);
    expect(await stage.endOf(end)).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
  });

  test("fails an attempt if the service does not answer, so that it is tried again", async () => {
    const stage = new RunStage();
    stage.backend.states.set("k1", { kind: "running" });
    stage.backend.troubles.push(...Array.from({ length: 1_000 }, () => new BackendTrouble("away")));
    const { end } = stage.stopping({ key: "k1", id: "id-of-k1" });
    expect(await stage.endOf(end)).toMatchObject({ outcome: "failed", error: { code: "backend" } });
  });

  test("is given back if its worker drains", async () => {
    const stage = new RunStage();
    stage.backend.states.set("k1", { kind: "running" });
    stage.backend.troubles.push(...Array.from({ length: 1_000 }, () => new BackendTrouble("away")));
    const { run, end } = stage.stopping({ key: "k1", id: "id-of-k1" });
    await stage.settle();
    run.abort(0, "drain");
    expect(await stage.endOf(end)).toMatchObject({ outcome: "aborted" });
  });
});
