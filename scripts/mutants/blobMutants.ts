/** Bugs in what keeps the files that tasks name, and in the collection of those that nothing names. */
import type { Mutant } from "./mutant.ts";

export const blobMutants: readonly Mutant[] = [
  {
    name: "collects blobs that tasks name",
    patches: [
      {
        file: "src/master/journal/blobCollector.ts",
        search: "isNamed = task !== null && doesCount(task, pin);",
        replace: "isNamed = task !== null && doesCount(task, pin) && pin.attempt !== undefined;",
      },
    ],
  },
  {
    name: "removes a blob by an old look, although it was named since",
    patches: [
      {
        file: "src/core/scheduler/blobsModule.ts",
        search: "!isUnchanged(record, before) || record.leasedUntil > wallNow(state, batch)",
        replace: "record.object !== before.object || before.leasedUntil > wallNow(state, batch)",
      },
      {
        file: "src/core/scheduler/blobsModule.ts",
        search: "markOrRemove(state, batch, sha256, record);",
        replace: "markOrRemove(state, batch, sha256, isUnchanged(record, before) ? record : before);",
      },
    ],
  },
  {
    name: "does not pin the blobs of new tasks",
    patches: [
      {
        file: "src/core/scheduler/creation.ts",
        search: "  pinBlobs(state, batch, spec, spec.input);\n",
        replace: "",
      },
    ],
  },
  {
    name: "takes a graph whose files are not there",
    patches: [
      {
        file: "src/core/scheduler/blobPins.ts",
        search: "  for (const [, node] of nodesOf(graph)) yield* blobsNeededBy(",
        replace: "  for (const [, node] of nodesOf(null)) yield* blobsNeededBy(",
      },
    ],
  },
  {
    name: "leaves the mark on a blob that is named",
    patches: [
      {
        file: "src/core/scheduler/blobPins.ts",
        search: "if (!isLong || record.removeAt !== undefined)",
        replace: "if (!isLong && record.removeAt === undefined)",
      },
    ],
  },
  {
    name: "drops the pins of a blob by an old look, although a new task has them by now",
    patches: [
      {
        file: "src/core/scheduler/blobsModule.ts",
        search: "    const record = state.blobs.recordOf(sha256);\n",
        replace:
          '    for (const id of deadPins) batch.out.writes.push({ kind: "record", collection: "blobPins", id, value: null });\n    const record = state.blobs.recordOf(sha256);\n',
      },
    ],
  },
  {
    name: "deletes the object that a blob is in, and keeps the copy",
    patches: [
      {
        file: "src/master/service/blobService.ts",
        search: "if (reply.object !== object) await blobs.delete(object)",
        replace: "if (reply.object !== object) await blobs.delete(reply.object)",
      },
    ],
  },
];
