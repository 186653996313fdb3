/** An id is used again once its task is forgotten, while the process of the earlier task is still to end on its worker. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { FamilyWorld } from "../../proof/fakes/familyWorld.ts";

test("each of two dying attempts of one name gives back its own slot", () => {
  const world = new FamilyWorld(2);
  const slots = () => world.tell({ kind: "inspect-workers", request: 0 });
  world.submit("t");
  const first = world.running.get("t");
  if (first === undefined) throw new Error("it does not run");
  world.cancel("t");
  world.tell({ kind: "forget", seq: 1_000, tasks: [{ id: "t" as TaskId, queue: "default", state: "cancelled" }] });
  world.now += 1;
  world.submit("t");
  const second = world.running.get("t");
  if (second === undefined) throw new Error("it does not run");
  expect(slots()).toMatchObject([{ workers: [{ running: 2 }] }]);
  world.cancel("t");
  world.running.set("t", second);
  world.end("t", {
    outcome: "aborted",
    error: { code: "machine", message: "An earlier task of this id has not ended here yet." },
  });
  expect(slots()).toMatchObject([{ workers: [{ running: 1 }] }]);
  world.running.set("t", first);
  world.end("t", { outcome: "aborted" });
  expect(slots()).toMatchObject([{ workers: [{ running: 0 }] }]);
});
