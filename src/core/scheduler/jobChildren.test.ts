/** Maps and reduces wait where their job does: in its queue, with its priority, for workers with its labels. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import type { Submission } from "../../model/submission.ts";
import { FamilyWorld as World } from "../../proof/fakes/familyWorld.ts";

const map: Submission = { kind: "map-reduce.map", input: {} };
const place = { queue: "etl", priority: 3, requires: ["disk"] };

function specsOf(world: World, kind: string, submissions: readonly Submission[]) {
  const id = "p" as TaskId;
  const name = kind;
  const limits = {
    attemptsMax: 1,
    killsMax: null,
    timeoutMs: null,
    backoffBaseMs: 0,
    backoffFactor: 1,
    backoffMaxMs: 0,
  };
  const rights = { owner: "user:ada", queues: ["etl"] };
  const spec = { id, name, kind, input: {}, ...place, createdAt: 0, startAt: null, limits, fingerprint: null, rights };
  world.tell({ kind: "submit", request: 1, specs: [spec], lookup: null });
  const content = { kind: "children", key: "maps", first: 0, before: "", isLast: true, onFailure: "wait" } as const;
  const answer = world.send("p", { ...content, submissions });
  const specs = submissions.map((_, index) => world.specs.get(world.child("p", "maps", index)));
  return { answer, specs };
}

test("what they say otherwise holds", () => {
  const { answer, specs } = specsOf(new World(), "map-reduce", [map, { ...map, priority: 0, requires: [] }]);
  expect(answer).toEqual({ verdict: "committed" });
  expect(specs[0]).toMatchObject(place);
  expect(specs[1]).toMatchObject({ queue: "etl", priority: 0 });
  expect(specs[1]).not.toHaveProperty("requires");
});

test("children of a handler are tasks like any other: its rights may not reach where they would go", () => {
  const { answer } = specsOf(new World(), "crawl", [map]);
  expect(answer).toMatchObject({ verdict: "refused", message: "There is no queue default." });
});
