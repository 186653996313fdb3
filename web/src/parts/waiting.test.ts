/** What a task waits for, with the names that people know. */
import { expect, test } from "vitest";
import type { Task } from "../api/schema.ts";
import { endWords, waitingPieces, waitingText } from "./waiting.ts";

function blocked(detail: string) {
  return { reason: "blocked", detail, since: 0 } as const;
}

test("calls what a node of a graph waits for as the graph does", () => {
  const task = { waiting: blocked("waits for g~1.2, g~1.3"), after: ["g~1.1", "g~1.2", "g~1.3"] };
  const named = { ...task, afterNames: ["load", "import-rome", "import-oslo"] };
  expect(waitingText(named)).toBe("waits for import-rome, import-oslo");
  expect(waitingText(task)).toBe("waits for g~1.2, g~1.3");
});

test("takes no part of an id for another id", () => {
  const pieces = waitingPieces({ waiting: blocked("waits for bill-2 and 3 more"), after: ["bill", "bill-2"] });
  expect(pieces.filter((piece) => typeof piece !== "string")).toEqual([{ id: "bill-2", name: "bill-2" }]);
});

test("leaves other reasons as they are", () => {
  const waiting = { reason: "due-later", detail: "waits for its start time", since: 0 } as const;
  expect(waitingPieces({ waiting, after: ["start"] })).toEqual(["waits for its start time"]);
  expect(waitingText({})).toBe("");
});

test("tells the tasks that hold a key from the words around them, whatever the key is", () => {
  const holders = ["one", "two~00112233aabbccdd.0000004", "three"];
  const detail = `only 3 tasks with the key "one" may run at a time: one, ${holders[1]}, three, which is ending and 3 more`;
  const task = { waiting: { reason: "key", detail, since: 0, holders } } as const;
  expect(waitingText(task)).toBe(detail);
  const held = waitingPieces(task).flatMap((piece) => (typeof piece === "string" ? [] : [piece.id]));
  expect(held).toEqual(holders);
});

test("a sleep ends no sooner than it says, a wait for a signal no later", () => {
  const words = (state: "waiting" | "created", reason: string, detail: string) =>
    endWords({ state, waiting: { reason, detail, since: 0, until: 1 } as NonNullable<Task["waiting"]> }).join(" … ");
  expect(words("created", "due-later", "waits for its start time")).toBe("starts … at the earliest");
  expect(words("waiting", "sleep", "waits for the end of its sleep")).toBe("goes on … at the earliest");
  expect(words("waiting", "signal", 'waits for the signal "approved"')).toBe("the wait ends … at the latest");
  expect(words("waiting", "sleep", 'waits for the end of its sleep or the signal "x"')).toBe(
    "the wait ends … at the latest",
  );
});
