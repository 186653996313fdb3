/** What a client may ask for. Its bounds are written once, in `submissionSchema`; the API and everybody else check against it. */
import { isTaskId, labelPattern, type TaskId } from "./ids.ts";
import type { Json } from "./json.ts";
import { invalid, isObject, quote } from "./kinds/kind.ts";
import { builtInKinds, findKind, reservedKinds } from "./kinds/table.ts";
import { defaults, limits } from "./limits.ts";
import { closed, duration, id, instant, limitKeyword, list, type Schema, whole } from "./schema.ts";
import { checkSchema } from "./schemaCheck.ts";
import type { TaskLimits, TaskSpec } from "./task.ts";

/** One task as a client asks for it. Durations in ms, instants in ms since 1970. */
export interface Submission {
  /** Chosen by the client; asking twice for the same id with the same content is one task. */
  readonly id?: string;
  /** For people; the id if left out. */
  readonly name?: string;
  /** A built-in kind, such as `sleep` or `exec`, or the name of a handler that some workers have. */
  readonly kind: string;
  readonly input: Json;
  readonly queue?: string;
  readonly priority?: number;
  /** Labels that a worker must carry to be given this task. */
  readonly requires?: readonly string[];
  readonly startAt?: number;
  readonly attemptsMax?: number;
  readonly killsMax?: number;
  readonly timeoutMs?: number;
  readonly backoffBaseMs?: number;
  readonly backoffFactor?: number;
  readonly backoffMaxMs?: number;
}

/** The name of a kind of task. */
export const kindName: Schema = {
  type: "string",
  pattern: `^[A-Za-z][A-Za-z0-9._-]{0,${limits.kindLengthMax - 1}}$`,
  [limitKeyword]: "kindLengthMax",
};
/** A label that workers carry and tasks require: `gpu`, `zone=eu`. */
export const label: Schema = {
  type: "string",
  pattern: labelPattern,
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
    startAt: { ...instant, description: "Not to be started before; an instant in the past means now." },
    attemptsMax: { ...attemptsMax, default: defaults.attemptsMax, description: "1 means no retry." },
    killsMax: { ...killsMax, description: "Workers that may be lost under it; unbounded if left out." },
    timeoutMs: {
      ...whole(1, limits.durationMsMax, "durationMsMax"),
      description: "For one attempt; unbounded if left out.",
    },
    backoffBaseMs: { ...duration, default: defaults.backoffBaseMs },
    backoffFactor: { ...backoffFactor, default: defaults.backoffFactor },
    backoffMaxMs: { ...duration, default: defaults.backoffMaxMs },
  },
  { examples: [{ kind: "sleep", input: { seconds: 2 }, name: "nap" }] },
);

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
 * @throws OutlastError `invalid`, with `path` and, where one was passed, `limit`
 */
export function toSpec(
  submission: Submission,
  identity: { id: TaskId; fingerprint: string | null; now: number },
  path = "",
): TaskSpec {
  const { id: taskId, fingerprint, now } = identity;
  if (!isTaskId(taskId)) {
    throw invalid(
      `${path}/id`,
      `An id has 1 to ${limits.idLengthMax} letters, digits and . _ : - only.`,
      "idLengthMax",
    );
  }
  if (submission.name !== undefined) checkName(submission.name, `${path}/name`);
  checkWork(submission, path);
  const requires = [...new Set(submission.requires)].sort();
  return {
    id: taskId,
    name: submission.name ?? taskId,
    kind: submission.kind,
    input: submission.input,
    queue: submission.queue ?? defaults.queue,
    priority: submission.priority ?? defaults.priority,
    // Left out where there is none, as in all specs from before there were labels.
    ...(requires.length > 0 && { requires }),
    createdAt: now,
    startAt: submission.startAt ?? null,
    limits: toLimits(submission),
    fingerprint,
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

function checkWork({ kind, input }: Submission, path: string): void {
  if (reservedKinds.includes(kind)) {
    throw invalid(`${path}/kind`, `The kind ${quote(kind)} is reserved and not available in this version.`);
  }
  const definition = findKind(kind);
  if (definition === undefined) return;
  if (!isObject(input)) throw invalid(`${path}/input`, `The input of ${kind} is an object.`);
  checkSchema(definition.inputSchema, input, `${path}/input`, `The input of ${kind}`);
  definition.check?.(input, `${path}/input`);
}
