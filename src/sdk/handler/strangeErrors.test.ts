/** A handler may throw anything, also what cannot be written as a text: its run ends all the same. */
import { describe, expect, test } from "vitest";
import { ScriptedLeader } from "../../proof/fakes/scriptedLeader.ts";
import type { TaskContext } from "./context.ts";
import { defineTask } from "./definition.ts";

const work = (run: (ctx: TaskContext) => unknown) =>
  defineTask({ name: "work", run: async (_input: never, ctx) => run(ctx) });

describe("what cannot be written as a text", () => {
  const message = "something that cannot be written as a text";
  const failing = { get: () => expect.fail("nobody may look") };
  const nameless = Object.assign(new Error("no"), { name: Object.create(null) as string });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const strange: [string, unknown][] = [
    ["an object without a prototype", Object.create(null)],
    ["an error whose message is one", Object.assign(new Error("no"), { message: Object.create(null) as string })],
    ["an error whose name is one", nameless],
    ["an error that lets nobody look at its message", Object.defineProperty(new Error("no"), "message", failing)],
    ["an error that lets nobody look at its stack", Object.defineProperty(new Error("boom"), "stack", failing)],
    ["an object that fails when it is asked", new Proxy({}, failing)],
    ["an object that is no more", revoked.proxy],
  ];

  test.each(strange)("ends the run that throws it: %s", async (what, thrown) => {
    const leader = new ScriptedLeader();
    const task = work(() => {
      throw thrown;
    });
    const expected = what.endsWith("its stack") ? "boom" : message;
    expect(await leader.run(task)).toMatchObject({
      outcome: "failed",
      error: { code: "error", message: expect.stringContaining(expected) },
    });
  });

  test.each(strange)("is thrown by a step that is run again: %s", async (_what, thrown) => {
    const leader = new ScriptedLeader();
    let runs = 0;
    const fail = () => {
      runs += 1;
      if (runs === 1) throw thrown;
      return "done";
    };
    const task = work((ctx) => ctx.step("s", fail, { attemptsMax: 2, backoffBaseMs: 0 }));
    expect(await leader.run(task)).toMatchObject({ outcome: "success", output: "done" });
  });

  test.each(strange)("is thrown while a result is written: %s", async (_what, thrown) => {
    const result = {
      toJSON() {
        throw thrown;
      },
    };
    expect(await new ScriptedLeader().run(work(() => result))).toMatchObject({
      outcome: "failed",
      error: { code: "non-retryable", message: expect.stringContaining("cannot be written as JSON") },
    });
  });
});
