/**
 * What an attempt sends, checked as masters check it: a master refuses a whole report because of one bad item, and with it all that
 * other attempts of the worker have to say. The code of a task may send anything, whatever its types say.
 */
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { jsonBytes } from "../../model/jsonBytes.ts";
import { relativePathProblem } from "../../model/kinds/execPaths.ts";
import { limits } from "../../model/limits.ts";
import type { ArtifactsContent, AttemptContent, ChildrenContent, ItemRefusal } from "../../model/protocol.ts";
import { describeJsonProblem, problemOfJson, reportedDepthMax } from "../../model/strictJson.ts";
import { checkSubmission } from "../../model/submission.ts";

type StepContent = Extract<AttemptContent, { kind: "step" }>;

/** What can be sent of it, or why it cannot. */
export function checkContent(content: AttemptContent): AttemptContent | ItemRefusal {
  switch (content.kind) {
    case "progress":
      return checkProgress(content);
    case "step":
      return checkKey(content.key) ?? checkStep(content.value) ?? checkRun(content.run) ?? content;
    case "submit":
      return checkKey(content.key) ?? checkTask(content.submission as unknown as Json, "The task", 0) ?? content;
    case "artifacts":
      return checkArtifacts(content) ?? content;
    case "children":
      return checkKey(content.key) ?? checkChildren(content) ?? content;
    default:
      content satisfies never;
      return invalid("This is nothing that an attempt can send.");
  }
}

function checkProgress(content: Extract<AttemptContent, { kind: "progress" }>): AttemptContent | ItemRefusal {
  const { done, total, text } = content;
  const isNumeric = isExact(done) && (total === undefined || isExact(total));
  if (!isNumeric) return invalid("Progress needs finite numbers.");
  if (text === undefined) return content;
  if (typeof text !== "string") return invalid("The text of a progress is a text.");
  if (text.length <= limits.nameLengthMax && text.isWellFormed()) return content;
  return { ...content, text: text.slice(0, limits.nameLengthMax).toWellFormed() };
}

function isExact(value: unknown): boolean {
  return typeof value === "number" && problemOfJson(value) === null;
}

function checkArtifacts({ files }: ArtifactsContent): ItemRefusal | null {
  if (files.length === 0 || files.length > limits.artifactsPerItemMax)
    return { code: "too-many", message: `An item has 1 to ${limits.artifactsPerItemMax} files.` };
  const bad = files.find(({ path }) => relativePathProblem(path) !== null);
  if (bad === undefined) return null;
  return invalid(`${JSON.stringify(bad.path.slice(0, 80))}: ${relativePathProblem(bad.path)}.`);
}

function checkChildren({ submissions, onFailure, failuresMax, concurrencyMax }: ChildrenContent): ItemRefusal | null {
  if (!Array.isArray(submissions)) return invalid("The children are no list.");
  if (submissions.length > limits.childrenPerItemMax) {
    const message = `${submissions.length} children in one item; ${limits.childrenPerItemMax} are allowed.`;
    return { code: "too-many", message };
  }
  if (onFailure !== "wait" && onFailure !== "cancel") return invalid('onFailure is "wait" or "cancel".');
  if (failuresMax !== undefined && !isWhole(failuresMax, 0, limits.childrenMax))
    return invalid(`failuresMax is a whole number from 0 to ${limits.childrenMax}.`);
  if (concurrencyMax !== undefined && !isWhole(concurrencyMax, 1, limits.childrenMax))
    return invalid(`concurrencyMax is a whole number from 1 to ${limits.childrenMax}.`);
  for (const [index, submission] of (submissions as unknown as readonly Json[]).entries()) {
    const refusal = checkTask(submission, `Child ${index} of the item`, 1);
    if (refusal !== null) return refusal;
  }
  return null;
}

export function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

export function isText(value: unknown, lengthMax: number): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= lengthMax && value.isWellFormed();
}

/** @param depth of what is around it in the item */
function checkTask(submission: Json, what: string, depth: number): ItemRefusal | null {
  const problem = problemOfJson(submission, reportedDepthMax - depth);
  if (problem !== null) return invalid(describeJsonProblem(what, problem));
  try {
    checkSubmission(submission);
    return null;
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    return invalid(`${what}: ${error.message}`);
  }
}

function checkKey(key: string): ItemRefusal | null {
  const { stepKeyLengthMax: max } = limits;
  return isText(key, max) ? null : invalid(`A key has 1 to ${max} characters.`);
}

function checkStep(value: Json | undefined): ItemRefusal | null {
  if (value === undefined) return invalid("The step has no value.");
  const bytes = jsonBytes(value);
  if (bytes > limits.stepBytesMax) {
    const message = `The result of a step has ${bytes} bytes; ${limits.stepBytesMax} are allowed. Keep large results elsewhere.`;
    return { code: "too-large", message };
  }
  const problem = problemOfJson(value, reportedDepthMax);
  return problem === null ? null : invalid(describeJsonProblem("The result of a step", problem));
}

/** What a service calls its job comes from the service. */
function checkRun(run: StepContent["run"]): ItemRefusal | null {
  if (run === undefined || run === null || run === "left" || run.handle === undefined) return null;
  const { remoteHandleLengthMax: max } = limits;
  return isText(run.handle, max) ? null : invalid(`A job has a handle of 1 to ${max} characters.`);
}

function invalid(message: string): ItemRefusal {
  return { code: "invalid", message };
}
