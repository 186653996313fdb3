/** The writes of an entry come back from its text as they went in, and those of format 1 as their like of today. */
import { describe, expect, test } from "vitest";
import {
  changed,
  created,
  queueWrite,
  taskId,
  workerGone,
  workerRecord,
  workerWrite,
} from "../proof/contracts/storeJournal.ts";
import { collectionNames, collectionVersions, problemOfRecord } from "./collections/table.ts";
import { entryFormat, type Write } from "./entry.ts";
import { readWrites, recordText, UnreadableEntry, writeText } from "./entryWrites.ts";

const worker = workerRecord("w");

function read(body: unknown, format = entryFormat, passedOver?: ReadonlySet<string>): Write[] {
  return readWrites({ seq: 7, format, body: JSON.stringify(body) }, passedOver);
}

describe("the text of a write", () => {
  test.each([
    created("a")[0]!,
    changed("a", "success", { output: { deep: ["\u2028"] } }),
    workerWrite(worker),
    workerGone("w"),
    queueWrite({ name: "q", isPaused: true }),
    { kind: "forget-task", id: taskId("a"), queue: "q", state: "failed" },
    { kind: "digest", digest: { tasks: 1, workers: 2 } },
    { kind: "marker", address: "http://a:1", collections: collectionVersions },
  ] satisfies Write[])("is that of the whole write: $kind", (write) => {
    const text = writeText(write, recordText(write));
    expect(JSON.parse(text)).toEqual(write);
    expect(readWrites({ seq: 1, format: entryFormat, body: `[${text}]` })).toEqual([write]);
  });
});

describe("an entry of format 1", () => {
  test.each([
    [{ kind: "worker", worker }, workerWrite(worker)],
    [{ kind: "forget-worker", id: "w" }, workerGone("w")],
    [{ kind: "queue", queue: { name: "q", isPaused: true } }, queueWrite({ name: "q", isPaused: true })],
    [
      { kind: "digest", digest: 5 },
      { kind: "digest", digest: { tasks: 5 } },
    ],
    [
      { kind: "marker", address: "http://a:1" },
      { kind: "marker", address: "http://a:1", collections: { queues: 1, workers: 1 } },
    ],
    [changed("a", "running"), changed("a", "running")],
  ])("is read as %j", (old, now) => {
    expect(read([old], 1)).toEqual([now]);
  });
});

describe("what cannot be understood", () => {
  test.each([
    ["a newer format", [], entryFormat + 1, "Upgrade this master"],
    ["an unknown kind", [{ kind: "worker", worker }], entryFormat, "unknown kind worker"],
    ["an unknown kind of format 1", [{ kind: "riddle" }], 1, "unknown kind riddle"],
    [
      "an unknown collection",
      [{ kind: "record", collection: "riddles", id: "a", value: 1 }],
      entryFormat,
      "unknown collection riddles",
    ],
    [
      "a value that does not fit",
      [{ kind: "record", collection: "queues", id: "q", value: { name: "q" } }],
      entryFormat,
      "does not say whether it is paused",
    ],
    [
      "an id of another form",
      [{ kind: "record", collection: "queues", id: "a/b", value: null }],
      entryFormat,
      "has the wrong form",
    ],
  ])("is refused: %s", (_what, body, format, message) => {
    expect(() => read(body, format)).toThrow(UnreadableEntry);
    expect(() => read(body, format)).toThrow(message);
  });

  test("is passed over where the master knows that it lacks the collection", () => {
    const body = [{ kind: "record", collection: "riddles", id: "a", value: 1 }, ...created("t")];
    expect(read(body, entryFormat, new Set(["riddles"]))).toEqual(created("t"));
  });
});

describe("the value of a record", () => {
  test.each([
    ["workers", worker],
    ["queues", { name: "w", isPaused: false }],
  ] as const)(
    "of %s is accepted as it is, refused without one of its fields, and as anything else",
    (collection, value) => {
      expect(problemOfRecord(collection, "w", value)).toBeNull();
      expect(problemOfRecord(collection, "other", value)).toMatch(/\.$/);
      for (const wrong of [undefined, 1, "text", [value], {}]) {
        expect(problemOfRecord(collection, "w", wrong)).toMatch(new RegExp(`^The record w of ${collection} .*\\.$`));
      }
      for (const name of ["id", "name", "boot", "capacity", "queues", "isDraining", "state", "changedAt", "isPaused"]) {
        if (!(name in value)) continue;
        const { [name as keyof typeof value]: _left, ...rest } = value;
        expect(problemOfRecord(collection, "w", rest)).not.toBeNull();
      }
    },
  );

  test("is checked in every collection", () => {
    for (const name of collectionNames) expect(problemOfRecord(name, "a", { surprise: true })).not.toBeNull();
  });
});
