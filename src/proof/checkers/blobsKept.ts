/**
 * I49: a command is created only where its files are; a blob that a task names stays as long as the task does, and an artifact as long as its attempt is, or may become, the
 * committed one; and the object of a blob is there before the blob is, and not deleted before it has gone.
 */
import type { TaskId } from "../../model/ids.ts";
import type { TaskSpec } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { LandedEntry } from "./ledger.ts";
import { eventsOf } from "./reading.ts";

type Write = LandedEntry["writes"][number];

/** What is kept of a task: the blobs that it names, those of its artifacts by attempt, and how it stands. */
interface Keeper {
  readonly named: Set<string>;
  readonly artifacts: Map<string, number>;
  attempt: number;
  state: string;
}

/** An artifact counts while its attempt may still succeed, and once it has. */
const mayCommit: readonly string[] = ["running", "waiting", "success"];

export const blobsKept = checker("I49", "what names a blob keeps it", (history, report) => {
  if (history.conditions.seesRecords !== true) return;
  const stored = new Map(eventsOf(history, "object-stored").map(({ object, order }) => [object, order]));
  const deleted = new Map(eventsOf(history, "object-deleted").map(({ object, order }) => [object, order]));
  const blobs = new Map<string, string>();
  const keepers = new Map<TaskId, Keeper>();
  /** The blob's record ends, or names another object. */
  const leave = (sha256: string, order: number): void => {
    const object = blobs.get(sha256);
    const at = object === undefined ? undefined : deleted.get(object);
    if (at !== undefined && at < order) report(`object ${object} was deleted while blob ${sha256} was in it`);
  };
  for (const { seq, order, writes } of history.entries) {
    // In one entry a blob may be removed by one input and named by the next, which then finds none.
    for (const write of writes) {
      note(keepers, blobs, write);
      if (write.kind === "spec") checkFiles(write.spec, blobs, seq, report);
      if (write.kind !== "record" || write.collection !== "blobs") continue;
      const { id: sha256, value } = write;
      if (value === null) {
        leave(sha256, order);
        blobs.delete(sha256);
        for (const [task, keeper] of keepers)
          if (doesKeep(keeper, sha256)) report(`entry ${seq} removes blob ${sha256}, which task ${task} names`, task);
      } else if (blobs.get(sha256) !== value.object) {
        leave(sha256, order);
        blobs.set(sha256, value.object);
        const at = stored.get(value.object);
        if (at === undefined || at > order) report(`entry ${seq} has blob ${sha256}, and its object is not there`);
      }
    }
  }
  for (const sha256 of blobs.keys()) leave(sha256, Number.POSITIVE_INFINITY);
});

/** No command is created without the files that it names; a node of a graph has those that were there for its graph. */
function checkFiles(
  { id, kind, input, takesOutputs }: TaskSpec,
  blobs: ReadonlyMap<string, string>,
  seq: number,
  report: Report,
): void {
  if (kind !== "exec" || takesOutputs === true) return;
  const { files = {} } = input as { readonly files?: { readonly [name: string]: string } };
  for (const reference of Object.values(files)) {
    const sha256 = reference.replace("sha256:", "");
    if (!blobs.has(sha256)) report(`entry ${seq} creates task ${id}, and there is no blob ${sha256} for it`, id);
  }
}

function doesKeep({ named, artifacts, attempt, state }: Keeper, sha256: string): boolean {
  return named.has(sha256) || (artifacts.get(sha256) === attempt && mayCommit.includes(state));
}

/** What is named although there is no such blob keeps nothing. */
function note(keepers: Map<TaskId, Keeper>, blobs: ReadonlyMap<string, string>, write: Write): void {
  const name = (keeper: Keeper | undefined, value: unknown): void => {
    for (const [, sha256 = ""] of JSON.stringify(value ?? null).matchAll(/"sha256:([0-9a-f]{64})"/g))
      if (blobs.has(sha256)) keeper?.named.add(sha256);
  };
  if (write.kind === "spec") {
    const keeper = { named: new Set<string>(), artifacts: new Map<string, number>(), attempt: 0, state: "created" };
    keepers.set(write.spec.id, keeper);
    name(keeper, write.spec.input);
  } else if (write.kind === "status") {
    const keeper = keepers.get(write.status.id);
    if (keeper !== undefined) {
      keeper.attempt = write.status.attempt;
      keeper.state = write.status.state;
    }
    name(keeper, write.status.output);
  } else if (write.kind === "forget-task") keepers.delete(write.id);
  else if (write.kind === "record" && write.value !== null) {
    const keeper = keepers.get(write.id.split("/")[0] as TaskId);
    if (write.collection === "artifacts") keeper?.artifacts.set(write.value.sha256, write.value.attempt);
    else if (["steps", "inputs", "signals"].includes(write.collection)) name(keeper, write.value);
  }
}
