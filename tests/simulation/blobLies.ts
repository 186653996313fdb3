/** Lies about what keeps blobs. */
import type { ArtifactRecord } from "../../src/model/blob.ts";
import type { Write } from "../../src/model/entry.ts";
import { MadeHistory, spec, status, task } from "./madeHistory.ts";

const sha256 = "a".repeat(64);
const named = `sha256:${sha256}`;
const blob = (object: string | null): Write => ({
  kind: "record",
  collection: "blobs",
  id: sha256,
  value: object === null ? null : { size: 1, object, leasedUntil: 0 },
});
const stored = (): MadeHistory => new MadeHistory().add({ kind: "object-stored", object: "o1" }).entry(blob("o1"));
const withTask = (input: { readonly [name: string]: string }): MadeHistory =>
  stored().entry({ kind: "spec", spec: spec({ input }) }, { kind: "status", status: status() });
const artifact: ArtifactRecord = { attempt: 1, path: "out", sha256, size: 1 };
const withArtifact = (): MadeHistory =>
  withTask({}).entry(
    { kind: "status", status: status({ state: "running", attempt: 1 }) },
    { kind: "record", collection: "artifacts", id: `${task}/1.00000`, value: artifact },
  );

/** What is allowed: a blob goes that nothing names, that a forgotten task named, or an attempt that is over. */
export const goodBlobs: { readonly [what: string]: () => MadeHistory } = {
  "nothing names": () => stored().entry(blob(null)).add({ kind: "object-deleted", object: "o1" }),
  "a forgotten task named": () =>
    withTask({ file: named })
      .entry({ kind: "forget-task", id: task, queue: "default", state: "success" })
      .entry(blob(null)),
  "an attempt left that is over": () => withArtifact().status({ state: "retrying", attempt: 1 }).entry(blob(null)),
};

export const blobLies = {
  I49: {
    "a command is created and its file is not there": () =>
      new MadeHistory().entry({
        kind: "spec",
        spec: spec({ kind: "exec", input: { command: ["cat"], files: { f: named } } }),
      }),
    "a blob goes that the input of a task names": () => withTask({ file: named }).entry(blob(null)),
    "a blob goes that the output of a task names": () =>
      withTask({})
        .status({ state: "success", attempt: 1, output: [named] })
        .entry(blob(null)),
    "a blob goes that a step names": () =>
      withTask({})
        .entry({ kind: "record", collection: "steps", id: `${task}/0/k`, value: { value: named, at: 0 } })
        .entry(blob(null)),
    "a blob goes that is an artifact of the attempt that runs": () => withArtifact().entry(blob(null)),
    "a blob goes that is an artifact of the committed attempt": () =>
      withArtifact().status({ state: "success", attempt: 1 }).entry(blob(null)),
    "an object is deleted while its blob is there": () =>
      stored().add({ kind: "object-deleted", object: "o1" }).entry(blob(null)),
    "an object is deleted and its blob stays": () => stored().add({ kind: "object-deleted", object: "o1" }),
    "a blob is there before its object": () =>
      new MadeHistory().entry(blob("o1")).add({ kind: "object-stored", object: "o1" }),
  },
} satisfies { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } };
