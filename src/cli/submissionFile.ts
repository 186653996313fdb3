/** Reads tasks from a file: a JSON array, one JSON object, or one object a line. All of it is checked before any of it is sent. */
import { suggest } from "../api/http/suggestion.ts";
import { OutlastError } from "../model/errors.ts";
import { isId, type TaskId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import { type Submission, toSpec } from "../model/submission.ts";
import { UsageError } from "./failure.ts";

const keys: { readonly [Key in keyof Required<Submission>]: true } = {
  id: true,
  name: true,
  kind: true,
  input: true,
  queue: true,
  priority: true,
  startAt: true,
  attemptsMax: true,
  killsMax: true,
  timeoutMs: true,
  backoffBaseMs: true,
  backoffFactor: true,
  backoffMaxMs: true,
};

/** One task of the file, with where it stands for the messages: `line 3`, `task 3`. */
interface Item {
  readonly place: string;
  readonly value: unknown;
}

/**
 * @param fallback what holds for tasks that do not say otherwise
 * @throws UsageError naming every task that is wrong, up to a bound
 */
export function parseSubmissions(
  text: string,
  source: string,
  fallback: Partial<Submission> = {},
): readonly Submission[] {
  const problems: string[] = [];
  const submissions: Submission[] = [];
  for (const item of toItems(text.replace(/^\ufeff/, ""), problems)) {
    const problem = checkItem(item.value);
    if (problem !== null) problems.push(`${item.place}: ${problem}`);
    else submissions.push({ ...fallback, ...(item.value as Submission) });
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, limits.problemsShownMax);
    const rest = problems.length - shown.length;
    throw new UsageError(
      [
        `${source} is not sent, since not all of it is valid.`,
        ...shown,
        ...(rest > 0 ? [`and ${rest} more`] : []),
      ].join("\n"),
    );
  }
  if (submissions.length === 0) throw new UsageError(`${source} holds no tasks.`);
  return submissions;
}

/** One submission from the command line, checked in the same way. */
export function checkSubmission(submission: Submission): void {
  const problem = checkItem(submission);
  if (problem !== null) throw new UsageError(problem);
}

function toItems(text: string, problems: string[]): Item[] {
  const start = text.trimStart();
  const whole = parse(text);
  if (!("problem" in whole)) {
    const values = Array.isArray(whole.value) ? (whole.value as unknown[]) : [whole.value];
    return values.map((value, index) => ({ place: `task ${index + 1}`, value }));
  }
  if (start.startsWith("[")) {
    problems.push(whole.problem);
    return [];
  }
  const items: Item[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const place = `line ${index + 1}`;
    const parsed = parse(line);
    if ("problem" in parsed) problems.push(`${place}: ${parsed.problem}`);
    else items.push({ place, value: parsed.value });
  }
  return items;
}

function parse(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function checkItem(value: unknown): string | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "a task is a JSON object.";
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(keys, key)) continue;
    const nearest = suggest(key, Object.keys(keys));
    return `"${key}" is not known here${nearest === null ? "" : `; did you mean "${nearest}"?`}`;
  }
  const submission = value as Submission;
  if (submission.id !== undefined && !isId(submission.id)) {
    return `"id" is 1 to ${limits.idLengthMax} letters, digits and . _ : - only.`;
  }
  try {
    toSpec(submission, { id: (submission.id ?? "new") as TaskId, fingerprint: null, now: 0 });
    return null;
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    return `${error.message} (at ${error.details.path ?? "/"})`;
  }
}
