/** Commands that make children: they cannot wait for them, so their tasks do once the command has succeeded. */
import { describe, expect, test } from "vitest";
import type { Submission } from "../../model/submission.ts";
import { FamilyWorld as World } from "../../proof/fakes/familyWorld.ts";

describe("a command that has succeeded ends", () => {
  const command: Partial<Submission> = { kind: "exec", input: { command: ["true"] } };

  test("once they have all run, whoever leads then; those that fail are retried", () => {
    const world = new World();
    world.submit("p", command);
    world.children("p", "c", 2, { concurrencyMax: 1 });
    world.succeed("p");
    expect(world.state("p")).toBe("waiting, ending as success");
    world.failOver();
    const [first, second] = [world.child("p", "c", 0), world.child("p", "c", 1)];
    world.fail(first);
    expect(world.statuses.get(first)?.state).toBe("retrying");
    world.pass(60_000);
    world.succeed(first);
    expect(world.state("p")).toBe("waiting, ending as success");
    expect(world.statuses.get(second)?.state).toBe("running");
    world.succeed(second);
    expect(world.state("p")).toBe("success");
    expect(world.statuses.get("p")).toMatchObject({ attempt: 1, output: { of: "p" } });
  });

  test("unless it is cancelled, or its deadline passes, before they have", () => {
    const world = new World();
    world.submit("p", command);
    world.submit("late", { ...command, deadlineMs: 60_000 });
    for (const id of ["p", "late"]) {
      world.children(id, "c", 2, { concurrencyMax: 1 });
      world.succeed(id);
    }
    world.cancel("p");
    expect(world.state("p")).toBe("cancelled");
    world.pass(60_000);
    expect(world.statuses.get("late")).toMatchObject({ state: "failed", error: { code: "deadline" } });
    for (const id of ["p", "late"]) expect(world.statuses.get(world.child(id, "c", 1))?.state).toBe("cancelled");
  });
});
