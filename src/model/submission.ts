/** What a client may ask for. Its bounds are written once, in `submissionSchema`; the API and everybody else check against it. */
import { type GraphNode, nodeLinks } from "./graphs/graph.ts";
import { problemsOfReferences } from "./graphs/plan.ts";
import { fillInput, referencesIn, takesOutputs } from "./graphs/references.ts";
import { isTaskId, labelPattern, type TaskId } from "./ids.ts";
import type { Json } from "./json.ts";
import { shellProgramOf } from "./kinds/exec.ts";
import { invalid, isObject, type TaskScope } from "./kinds/kind.ts";
import { inNormalForm } from "./kinds/normalForm.ts";
import { remoteStopKindName } from "./kinds/remote.ts";
import { builtInKinds, findKind, kindsWithoutWorker, labelsFor } from "./kinds/table.ts";
import { defaults, limits } from "./limits.ts";
import { type Problem, toError } from "./problems.ts";
import {
  closed,
  duration,
  id,
  instant,
  limitKeyword,
  list,
  oneOf,
  type Schema,
  taskId,
  truth,
  whole,
  wordsKeyword,
} from "./schema.ts";
import { checkSchema } from "./schemaCheck.ts";
import type { Submission } from "./submissionFields.ts";
import { conflictRules, type TaskLimits, type TaskSpec } from "./task.ts";

/** The name of a kind of task. */
export const kindName: Schema = {
  type: "string",
  pattern: `^[A-Za-z][A-Za-z0-9._-]{0,${limits.kindLengthMax - 1}}$`,
  [wordsKeyword]: `a letter, then up to ${limits.kindLengthMax - 1} of the characters a-z, A-Z, 0-9 and . _ -`,
  [limitKeyword]: "kindLengthMax",
};
/** A label that workers carry and tasks require: `gpu`, `zone=eu`. */
export const label: Schema = {
  type: "string",
  pattern: labelPattern,
  [wordsKeyword]: `1 to ${limits.labelLengthMax} of the characters a-z, A-Z, 0-9 and . _ : / = -`,
  [limitKeyword]: "labelLengthMax",
};
const name: Schema = { type: "string", minLength: 1, maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" };
export const priority = whole(limits.priorityMin, limits.priorityMax, "priorityMax");
export const attemptsMax = whole(1, limits.attemptsMaxMax, "attemptsMaxMax");
export const killsMax = whole(0, limits.killsMaxMax, "killsMaxMax");
export const backoffFactor: Schema = { type: "number", minimum: 1, maximum: limits.backoffFactorMax };

export const submissionSchema = closed(
  {
    kind: {
      ...kindName,
      description: `${builtInKinds.map(({ name }) => `\`${name}\``).join(" or ")}, or the name of a handler that workers have.`,
    },
    input: {
      description: `${builtInKinds.map(({ name, inputName }) => `\`${inputName}\` for \`${name}\``).join(", ")}, any JSON for a handler.`,
    },
  },
  {
    id: { ...id, description: "Asking twice for the same id with the same content is one task." },
    name: { ...name, description: "For people; the id if left out." },
    queue: { ...id, default: defaults.queue },
    priority: { ...priority, default: defaults.priority, description: "Higher starts first." },
    requires: list(label, {
      maxItems: limits.requiresMax,
      [limitKeyword]: "requiresMax",
      description: "Labels that a worker must carry, all of them.",
    }),
    broadcast: {
      ...truth,
      default: false,
      description: "Runs once on every worker that could take it: the task has one child for each of them.",
    },
    startAt: { ...instant, description: "Not to be started before; an instant in the past means now." },
    concurrencyKey: {
      ...name,
      maxLength: limits.concurrencyKeyLengthMax,
      [limitKeyword]: "concurrencyKeyLengthMax",
      description: "Of all tasks of its queue with this key, only `concurrencyMax` run at a time.",
    },
    concurrencyMax: {
      ...whole(1, limits.concurrencyMaxMax, "concurrencyMaxMax"),
      default: 1,
      description: "It starts only while fewer tasks than that run with its `concurrencyKey`.",
    },
    uniqueKey: {
      ...name,
      maxLength: limits.concurrencyKeyLengthMax,
      [limitKeyword]: "concurrencyKeyLengthMax",
      description: "Of the unfinished tasks of its queue with this key there is only one.",
    },
    onConflict: oneOf(conflictRules, {
      default: "existing",
      description:
        "If there is one: `existing` answers it and creates none, `refuse` is an error, `replace` cancels it; the new one starts when it has ended.",
    }),
    expiresAt: { ...instant, description: "If it has not started by then, it fails as `expired`." },
    deadlineMs: {
      ...whole(1, limits.durationMsMax, "durationMsMax"),
      description: "For the task with all its attempts and waits, from its creation on; unbounded if left out.",
    },
    attemptsMax: { ...attemptsMax, default: defaults.attemptsMax, description: "1 means no retry." },
    killsMax: { ...killsMax, description: "Workers that may be lost under it; unbounded if left out." },
    timeoutMs: {
      ...whole(1, limits.durationMsMax, "durationMsMax"),
      description: "For one attempt; unbounded if left out.",
    },
    backoffBaseMs: { ...duration, default: defaults.backoffBaseMs },
    backoffFactor: { ...backoffFactor, default: defaults.backoffFactor },
    backoffMaxMs: { ...duration, default: defaults.backoffMaxMs },
    after: list(taskId, {
      maxItems: limits.afterMax,
      [limitKeyword]: "afterMax",
      description: "Ids of tasks that must have ended before it starts, those that have ended already included.",
    }),
    runIf: { ...nodeLinks["runIf"] },
  },
  { examples: [{ kind: "sleep", input: { seconds: 2 }, name: "nap" }] },
);

/** A node of a graph: a submission without an id or a unique key, with names instead of ids in `after`. */
const nodeSchema = ((): Schema => {
  const {
    id: _id,
    uniqueKey: _uniqueKey,
    onConflict: _onConflict,
    ...properties
  } = submissionSchema["properties"] as { readonly [name: string]: Schema };
  return { ...submissionSchema, properties: { ...properties, ...nodeLinks } };
})();

/**
 * Checks a submission that did not come through the API, which has checked its own.
 * @throws OutlastError `invalid`, with `path` and, where one was passed, `limit`
 */
export function checkSubmission(submission: Json, path = ""): asserts submission is Json & Submission {
  checkSchema(submissionSchema, submission, path, "The task");
}

/**
 * Turns a submission into the spec of a new task. It has passed `submissionSchema`; what a schema cannot express is checked here.
 * @param path where it stands in the request, as a JSON pointer, for error messages
 * @param options `isNew`: somebody asks for it now, so all of it that is known is checked
 * @throws OutlastError `invalid`, with `path` and, where one was passed, `limit`
 */
export function toSpec(
  submission: Submission,
  identity: { id: TaskId; fingerprint: string | null; now: number },
  path = "",
  { isNew = false }: { readonly isNew?: boolean } = {},
): TaskSpec {
  if (!isTaskId(identity.id)) {
    throw invalid(
      `${path}/id`,
      `An id has 1 to ${limits.idLengthMax} letters, digits and . _ : - only.`,
      "idLengthMax",
    );
  }
  const after = submission.after === undefined ? [] : ([...new Set(submission.after)] as TaskId[]);
  if (submission.name !== undefined) checkName(submission.name, `${path}/name`);
  if (submission.runIf !== undefined && after.length === 0)
    throw invalid(`${path}/runIf`, 'The task has "runIf", but waits for no task: "after" is missing.');
  if (submission.onConflict !== undefined && submission.uniqueKey === undefined)
    throw invalid(`${path}/onConflict`, 'The task has "onConflict", but no "uniqueKey".');
  checkWork(submission, path, { visible: after, depth: 0, isNew });
  const spec = buildSpec(submission, identity);
  return after.length === 0 ? spec : { ...spec, ...linksOf(submission, after) };
}

/** The spec of a task that has been checked: of a submission, or of a node, whose `after` is added by the caller. */
function buildSpec(
  submission: Omit<Submission, "after">,
  { id: ownId, fingerprint, now }: { id: TaskId; fingerprint: string | null; now: number },
): TaskSpec {
  const requires = labelsOf(submission);
  return {
    id: ownId,
    name: submission.name ?? ownId,
    kind: submission.kind,
    input: inNormalForm(submission).input,
    queue: submission.queue ?? defaults.queue,
    priority: submission.priority ?? defaults.priority,
    // Left out where there is none, as in all specs from before there were labels.
    ...(requires.length > 0 && { requires }),
    ...(submission.broadcast === true && { broadcast: true as const }),
    createdAt: now,
    startAt: submission.startAt ?? null,
    ...boundsOf(submission),
    limits: toLimits(submission),
    fingerprint,
  };
}

function labelsOf(submission: Omit<Submission, "after">): readonly string[] {
  const implied = labelsFor(submission);
  if (submission.requires === undefined && implied.length === 0) return implied;
  return [...new Set([...(submission.requires ?? []), ...implied])].sort();
}

/** Only where they are there, as in all specs from before there were such bounds. */
function boundsOf({
  concurrencyKey,
  concurrencyMax,
  uniqueKey,
  onConflict,
  expiresAt,
  deadlineMs,
}: Omit<Submission, "after">): Pick<
  TaskSpec,
  "concurrencyKey" | "concurrencyMax" | "uniqueKey" | "onConflict" | "expiresAt" | "deadlineMs"
> {
  return {
    ...(concurrencyKey !== undefined && { concurrencyKey }),
    ...(concurrencyKey !== undefined && concurrencyMax !== undefined && { concurrencyMax }),
    ...(uniqueKey !== undefined && { uniqueKey }),
    ...(uniqueKey !== undefined && onConflict !== undefined && { onConflict }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  };
}

function toLimits(submission: Submission): TaskLimits {
  return {
    attemptsMax: submission.attemptsMax ?? defaults.attemptsMax,
    killsMax: submission.killsMax ?? null,
    timeoutMs: submission.timeoutMs ?? null,
    backoffBaseMs: submission.backoffBaseMs ?? defaults.backoffBaseMs,
    backoffFactor: submission.backoffFactor ?? defaults.backoffFactor,
    backoffMaxMs: submission.backoffMaxMs ?? defaults.backoffMaxMs,
  };
}

/** Control and direction-changing characters would let a name disguise itself in a table or a log. */
function checkName(text: string, path: string): void {
  if (!text.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) {
    throw invalid(path, "A name may not hold control, formatting or broken characters.");
  }
}

/** Only where they are there, as in all specs from before there were such links. */
function linksOf(
  { kind, input, runIf = "success" }: Pick<Submission, "kind" | "input" | "runIf">,
  after: readonly TaskId[],
): Pick<TaskSpec, "after" | "runIf" | "takesOutputs"> {
  return {
    after,
    ...(runIf !== "success" && { runIf }),
    ...(takesOutputs(kind, input) && { takesOutputs: true }),
  };
}

/**
 * The spec of a node of a graph. Its fields are checked once more: outputs may have been put into them since its graph was submitted.
 * @param after ids of the nodes that it waits for, in the order of its `after`
 * @throws OutlastError `invalid`
 */
export function toNodeSpec(
  { name, node }: { readonly name: string; readonly node: GraphNode },
  graph: Pick<TaskSpec, "id" | "queue" | "priority"> & { readonly depth: number },
  identity: { readonly id: TaskId; readonly after: readonly TaskId[]; readonly now: number },
): TaskSpec {
  const { after: names = [], ...rest } = node;
  const { id: parent, queue, priority, depth } = graph;
  checkNode(node as unknown as Json, `/tasks/${name}`, { visible: names, depth });
  const { id: ownId, after, now } = identity;
  // Nobody looks for references in a task that waits for nothing; what is written like one is plain text then.
  const input = after.length === 0 && node.kind !== "graph" ? fillInput(rest, new Map(), inputSchemaOf) : node.input;
  const submission = { name, queue, priority, ...rest, input };
  const spec = buildSpec(submission, { id: ownId, fingerprint: null, now });
  const links = after.length === 0 ? {} : { ...linksOf(submission, after), afterNames: [...new Set(names)] };
  return { ...spec, ...links, parent, depth };
}

/** What is known of the inputs of a kind; nothing of those of a handler. */
export function inputSchemaOf(kind: string): Schema {
  return findKind(kind)?.inputSchema ?? {};
}

/** @throws OutlastError `invalid`, naming what is wrong */
function checkNode(node: Json, path: string, scope: Omit<TaskScope, "checkTask">): asserts node is Json & GraphNode {
  checkSchema(nodeSchema, node, path, "The task");
  const task = node as unknown as GraphNode;
  if (task.name !== undefined) checkName(task.name, `${path}/name`);
  checkWork(task, path, scope);
}

/** Checks an input into which outputs have been put. @throws OutlastError `invalid` */
export function checkFilled(task: Pick<Submission, "kind" | "input">): void {
  checkInput(task, "", { visible: [], depth: 0 });
}

/** Fields that say how a worker runs a task. */
const attemptFields = [
  "requires",
  "broadcast",
  "attemptsMax",
  "killsMax",
  "timeoutMs",
  "backoffBaseMs",
  "backoffFactor",
  "backoffMaxMs",
] as const;

type Work = Omit<Submission, "after">;

function checkWork(task: Work, path: string, scope: Omit<TaskScope, "checkTask">): void {
  const { kind, input } = task;
  if (kindsWithoutWorker.has(kind)) {
    const useless = attemptFields.filter((field) => task[field] !== undefined);
    if (useless.length > 0) {
      const message = `No worker runs a ${kind}, so ${useless.join(", ")} would do nothing. Set it on the tasks in it.`;
      throw invalid(`${path}/${useless[0]}`, message);
    }
  }
  const isFilledLater = (scope.visible.length > 0 || scope.depth > 0) && kind !== "graph";
  if (!isFilledLater) return checkInput(task, path, scope);
  const problems = [...problemsOfReferences(task, path, scope.visible), ...problemsOfShell(task, path)];
  if (problems.length > 0) throw toError(problems, "the task");
  const [reference] = referencesIn(task, `${path}/input`);
  // What stands in the places of references is known later.
  if (reference !== undefined) return scope.isNew === true ? checkKnown({ kind, input }, path) : undefined;
  checkInput({ kind, input: fillInput({ kind, input }, new Map(), inputSchemaOf) }, path, scope);
}

function checkInput(
  { kind, input }: Pick<Work, "kind" | "input">,
  path: string,
  scope: Omit<TaskScope, "checkTask">,
): void {
  if (kind === remoteStopKindName) throw invalid(`${path}/kind`, `Only masters create tasks of kind ${kind}.`);
  const definition = findKind(kind);
  if (definition === undefined) return;
  if (!isObject(input)) throw invalid(`${path}/input`, `The input of ${kind} is an object.`);
  checkSchema(definition.inputSchema, input, `${path}/input`, `The input of ${kind}`);
  definition.check?.(input, `${path}/input`, { ...scope, checkTask: checkNode });
}

/** Members with references are left out: what stands there has a type of its own. @throws OutlastError `invalid` */
function checkKnown({ kind, input }: Pick<Work, "kind" | "input">, path: string): void {
  const definition = findKind(kind);
  if (definition === undefined || !isObject(input)) return;
  const known = Object.fromEntries(Object.entries(input).filter(([, member]) => !takesOutputs("", member)));
  const schema = definition.inputSchema;
  const properties = Object.entries((schema["properties"] ?? {}) as { readonly [name: string]: Schema });
  const relaxed = properties.map(([name, each]): [string, Schema] => [name, Object.hasOwn(known, name) ? each : {}]);
  const partial = { ...schema, properties: Object.fromEntries(relaxed) };
  checkSchema(partial, input, `${path}/input`, `The input of ${kind}`);
  definition.checkKnown?.(known, `${path}/input`);
}

function* problemsOfShell({ kind, input }: Work, path: string): Generator<Problem> {
  if (kind !== "exec" || !isObject(input)) return;
  const shell = shellProgramOf(input);
  if (shell === null) return;
  const [reference] = referencesIn({ input: shell.program }, "");
  if (reference === undefined) return;
  yield {
    path: `${path}/input/${shell.place}`,
    message: `A shell would take an output for a part of its program. Pass it as an environment variable (env: {"ROWS": "${reference.all}"}) and write "$ROWS" in the command, or leave out "shell".`,
  };
}

export type { Submission } from "./submissionFields.ts";
