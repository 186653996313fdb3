/** What a running handler sends: results of steps, children, independent tasks. An item takes effect whole, or not at all. */
import { artifactKey } from "../../model/blob.ts";
import { ownedRecordId } from "../../model/collections/table.ts";
import { OutlastError } from "../../model/errors.ts";
import { foldItem, submittedId } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { jsonBytes } from "../../model/jsonBytes.ts";
import { findKind } from "../../model/kinds/table.ts";
import { limits } from "../../model/limits.ts";
import { coversQueue } from "../../model/principals/principal.ts";
import type {
  ArtifactsContent,
  AttemptItem,
  ChildrenContent,
  ItemAnswer,
  ItemRefusal,
  SubmitContent,
} from "../../model/protocol.ts";
import { type Submission, toSpec } from "../../model/submission.ts";
import type { TaskSpec } from "../../model/task.ts";
import { missingBlobOf, pinBlob, pinBlobs } from "./blobPins.ts";
import { addTask, createTask, shortageFor } from "./creation.ts";
import type { Batch } from "./effects.ts";
import { isBelowEnding, releaseNext } from "./endings.ts";
import type { ChildSet } from "./families.ts";
import { Family } from "./family.ts";
import type { LiveTask } from "./liveTask.ts";
import { noteRun } from "./runStops.ts";
import type { SchedulerState } from "./state.ts";
import { cancelReplaced, refuseForHandler, resolveUnique } from "./uniqueKeys.ts";
import { remember } from "./waits.ts";

const committed: ItemAnswer = { verdict: "committed" };

/** The attempt is the current one of its task. */
export function takeContent(state: SchedulerState, batch: Batch, task: LiveTask, item: AttemptItem): ItemAnswer {
  const answer = take(state, batch, task, item);
  if (answer.verdict === "committed" && item.kind !== "progress" && item.id !== undefined)
    familyOf(task).lastItem = Math.max(familyOf(task).lastItem, item.id);
  return answer;
}

/** An attempt's items come in the order of their ids, and again where an answer was lost. */
function isRepeat(task: LiveTask, { id }: AttemptItem): boolean {
  return id !== undefined && task.family !== null && id <= task.family.lastItem;
}

function take(state: SchedulerState, batch: Batch, task: LiveTask, item: AttemptItem): ItemAnswer {
  switch (item.kind) {
    case "progress": {
      const { task: id, attempt, assignedAt: _assignedAt, id: _id, kind: _kind, ...progress } = item;
      if (progress.total !== undefined && progress.total > 0) task.share = Math.min(1, progress.done / progress.total);
      batch.out.effects.push({ kind: "progress", task: id, attempt, progress });
      return committed;
    }
    case "step":
      return isRepeat(task, item) ? committed : takeRemembered(state, batch, task, item);
    case "submit":
      return isRepeat(task, item) ? committed : takeSubmit(state, batch, task, item);
    case "artifacts":
      return takeArtifacts(state, batch, task, item);
    case "children":
      return takeChildren(state, batch, task, item);
    default:
      return item satisfies never;
  }
}

function takeRemembered(
  state: SchedulerState,
  batch: Batch,
  task: LiveTask,
  { key, value, run }: Extract<AttemptItem, { kind: "step" }>,
): ItemAnswer {
  const answer = takeStep(state, batch, task, key, value);
  if (answer.verdict === "committed" && run !== undefined) noteRun(state, batch, task, run);
  return answer;
}

function takeStep(state: SchedulerState, batch: Batch, task: LiveTask, key: string, value: Json): ItemAnswer {
  const family = familyOf(task);
  const bytes = jsonBytes(value);
  if (family.steps >= limits.stepsMax) {
    const message = `The task remembers ${limits.stepsMax} steps already, and a task remembers no more. Divide its work among children.`;
    return refused("too-large", message);
  }
  if (family.stepBytes + bytes > limits.stepsBytesMax) {
    const message = `The steps of the task come to more than ${limits.stepsBytesMax} bytes. Keep large results as files (artifacts), or divide the work among children.`;
    return refused("too-large", message);
  }
  remember(batch, task, family, key, { value });
  pinBlobs(state, batch, task, value);
  family.stepBytes += bytes;
  state.tasks.touch(task);
  return committed;
}

/** Written again by a repeat, with the same content: an attempt numbers its artifacts. */
function takeArtifacts(state: SchedulerState, batch: Batch, task: LiveTask, item: ArtifactsContent): ItemAnswer {
  const { first, files } = item;
  if (first + files.length > limits.artifactsMax) {
    return tooMany(`An attempt keeps at most ${limits.artifactsMax} files.`);
  }
  const missing = files.find(({ sha256 }) => state.blobs.recordOf(sha256) === null);
  if (missing !== undefined)
    return refused("conflict", `There is no blob ${missing.sha256} for ${quote(missing.path)}.`);
  for (const [index, { path, sha256, size }] of files.entries()) {
    pinBlob(state, batch, task, sha256, task.attempt);
    const id = ownedRecordId(task.id, artifactKey(task.attempt, first + index));
    const value = { attempt: task.attempt, path, sha256, size };
    batch.out.writes.push({ kind: "record", collection: "artifacts", id, value });
  }
  return committed;
}

function takeSubmit(state: SchedulerState, batch: Batch, task: LiveTask, item: SubmitContent): ItemAnswer {
  const { key, submission: wanted, traceparent } = item;
  const id = submittedId(wanted.kind, task.issued, key);
  const specs = specsFor(state, [wanted], () => id, withRights(task, traceparent, {}), batch.now);
  if ("code" in specs) return { verdict: "refused", ...specs };
  const unique = resolveUnique(state, specs, undefined);
  if ("kind" in unique) return refused("conflict", unique.kind === "refused" ? unique.message : "It is not unique.");
  const refusal = refuseForHandler(task, unique);
  if (refusal !== null) return refused("conflict", refusal);
  const made = unique.answers.get(id)?.id ?? id;
  const answer = takeStep(state, batch, task, key, { id: made });
  if (answer.verdict !== "committed") return answer;
  for (const spec of unique.fresh) createTask(state, batch, spec);
  cancelReplaced(state, batch, unique);
  return { verdict: "committed", made };
}

function takeChildren(state: SchedulerState, batch: Batch, task: LiveTask, item: ChildrenContent): ItemAnswer {
  if (isBelowEnding(state, task)) return { verdict: "stale" };
  const family = familyOf(task);
  const known = state.families.find(task.id, family.epoch, item.key);
  const created = known?.created ?? 0;
  const end = item.first + item.submissions.length;
  if (known?.isSealed === true) {
    // A repeat of what was taken, or the set was ended because too many of its children have failed.
    if (end <= created || known.isBroken) return committed;
    return refused("conflict", `The set ${quote(item.key)} has ${created} children and takes no more.`);
  }
  if (item.first > created) {
    return refused("invalid", `Children ${created} to ${item.first - 1} of the set ${quote(item.key)} are missing.`);
  }
  if (item.first === created && item.before !== (known?.fingerprint ?? "")) {
    const message = `The set ${quote(item.key)} has other children before index ${created} than an earlier attempt made.`;
    return refused("conflict", message);
  }
  const depth = task.depth + 1;
  if (depth >= limits.familyDepthMax) {
    const message = `A family has at most ${limits.familyDepthMax} generations. Let an ancestor make these children, or submit independent tasks.`;
    return refused("too-large", message);
  }
  const fresh = item.submissions.slice(created - item.first);
  if (family.children + fresh.length > limits.childrenMax) {
    const message = `A task has at most ${limits.childrenMax} children. Divide them among children that have children.`;
    return refused("too-large", message);
  }
  if (known === undefined && state.families.of(task.id).size >= limits.childSetsMax)
    return tooMany(`A task has at most ${limits.childSetsMax} sets of children at a time.`);
  const set = known ?? state.families.create(task.id, family.epoch, item.key, toOptions(item));
  const specs = specsFor(
    state,
    fresh.map((submission) => ({ ...inheritedFrom(task), ...submission })),
    (index) => set.childAt(created + index),
    withRights(task, item.traceparent, { parent: task.id, depth }),
    batch.now,
  );
  if ("code" in specs) {
    if (known === undefined) state.families.put(set.prefix, null);
    return { verdict: "refused", ...specs };
  }
  addChildren(state, batch, set, specs, fresh);
  if (item.isLast) set.isSealed = true;
  family.children += fresh.length;
  state.families.touch(set);
  state.tasks.touch(task);
  return committed;
}

function addChildren(
  state: SchedulerState,
  batch: Batch,
  set: ChildSet,
  specs: readonly TaskSpec[],
  submissions: readonly Submission[],
): void {
  for (const spec of specs) addTask(state, batch, spec);
  set.created += specs.length;
  set.fingerprint = submissions.reduce(foldItem, set.fingerprint);
  releaseNext(state, batch, set);
}

function toOptions({ onFailure, failuresMax, concurrencyMax, backups }: ChildrenContent): ChildSet["options"] {
  const bounds = { failuresMax: failuresMax ?? null, concurrencyMax: concurrencyMax ?? null };
  return { onFailure, ...bounds, ...(backups === true && { backups }) };
}

/** All of them, or why they are refused: one is not valid, or there is no room for them. */
function specsFor(
  state: SchedulerState,
  submissions: readonly Submission[],
  idAt: (index: number) => TaskId,
  more: FromParent,
  now: number,
): TaskSpec[] | ItemRefusal {
  try {
    const specs = submissions.map((submission, index) => {
      if (submission.after !== undefined || submission.runIf !== undefined) {
        throw new OutlastError("invalid", 'A task of a handler cannot wait for others: leave out "after" and "runIf".');
      }
      if (submission.id !== undefined) {
        throw new OutlastError("invalid", "The id of such a task follows from its key; it cannot be chosen.");
      }
      if (submission.uniqueKey !== undefined && more.parent !== undefined) {
        throw new OutlastError("invalid", 'A child has no unique key: leave out "uniqueKey", or use ctx.submit.');
      }
      const id = idAt(index);
      return { ...toSpec({ name: submission.kind, ...submission }, { id, fingerprint: null, now }), ...more };
    });
    const foreign = specs.find(({ queue }) => !coversQueue(more.rights?.queues, queue));
    if (foreign !== undefined) return { code: "invalid", message: `There is no queue ${foreign.queue}.` };
    const missing = missingBlobOf(state, specs);
    if (missing !== null) return { code: "invalid", message: `There is no blob ${missing}.` };
    const shortage = shortageFor(state, specs);
    return shortage === null ? specs : { code: "too-many", message: shortage.message };
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    return { code: "invalid", message: error.message };
  }
}

/** What children of some kinds have from their parent. A child of a handler is a task like any other. */
function inheritedFrom({ lane, priority }: LiveTask): Partial<Submission> {
  if (findKind(lane.kind)?.childrenShareItsLane !== true) return {};
  return { queue: lane.queue.name, priority, ...(lane.requires.length > 0 && { requires: lane.requires }) };
}

type FromParent = Pick<TaskSpec, "parent" | "depth" | "rights" | "traceparent">;

/** Rights travel: what a task makes may reach no further than the task itself. */
function withRights({ rights }: LiveTask, traceparent: string | undefined, more: FromParent): FromParent {
  return { ...more, ...(rights !== undefined && { rights }), ...(traceparent !== undefined && { traceparent }) };
}

function familyOf(task: LiveTask): Family {
  task.family ??= new Family();
  return task.family;
}

function refused(code: ItemRefusal["code"], message: string): ItemAnswer {
  return { verdict: "refused", code, message };
}

function tooMany(message: string): ItemAnswer {
  return refused("too-many", message);
}

function quote(key: string): string {
  return JSON.stringify(key.slice(0, 80));
}
