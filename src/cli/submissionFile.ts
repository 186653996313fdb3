/** Reads tasks from a file: a JSON array, one JSON object, or one object per line. The whole file is checked before any task is sent. */
import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";

import { OutlastError } from "../model/errors.ts";
import type { TaskId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import { checkSubmission, type Submission, toSpec } from "../model/submission.ts";
import { UsageError } from "./failure.ts";
import { problemLines } from "./problemLines.ts";

/** One task of the file, with where it stands for the messages: `line 3`, `task 3`. */
interface Item {
  readonly place: string;
  readonly value: unknown;
}

export interface TaskFile {
  readonly submissions: readonly Submission[];
  /** Where each of them stands in the file: `line 3`, `task 3`. */
  readonly places: readonly string[];
}

/**
 * @param fallback what holds for tasks that do not say otherwise
 * @throws UsageError naming every task that is wrong, up to a bound
 */
export function parseSubmissions(text: string, source: string, fallback: Partial<Submission> = {}): TaskFile {
  const problems: string[] = [];
  const submissions: Submission[] = [];
  const places: string[] = [];
  const byId = new Map<string, { readonly value: unknown; readonly place: string }>();
  for (const { place, value } of toItems(text.replace(/^\ufeff/, ""), problems)) {
    const problem = checkItem(value) ?? checkRepeatedId(byId, value as Submission, place);
    if (problem !== null) {
      problems.push(`${place}: ${problem}`);
      continue;
    }
    submissions.push({ ...fallback, ...(value as Submission) });
    places.push(place);
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, limits.problemsShownMax);
    const rest = problems.length - shown.length;
    throw new UsageError(
      [
        `${source} is not valid, so none of its tasks is submitted.`,
        ...shown,
        ...(rest > 0 ? [`and ${rest} more`] : []),
      ].join("\n"),
    );
  }
  if (submissions.length === 0) throw new UsageError(`${source} contains no tasks.`);
  return { submissions, places };
}

/** Text of a file whose bytes must be UTF-8: replaced characters would change the command that runs. @throws UsageError */
export function decodeUtf8(bytes: Buffer, source: string): string {
  const text = bytes.toString("utf8");
  if (isUtf8(bytes)) return text;
  // What was decoded with a replacement differs from the original where the first wrong byte is.
  const decoded = Buffer.from(text);
  const offset = bytes.findIndex((byte, index) => byte !== decoded[index]);
  const before = bytes.subarray(0, offset);
  const line = before.filter((byte) => byte === 0x0a).length + 1;
  const column = offset - before.lastIndexOf(0x0a);
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, "0");
  throw new UsageError(
    `${source} is not UTF-8: line ${line}, byte ${column} of the line (offset ${offset} in the file) is 0x${byte}.`,
    "Nothing is submitted. Convert the file first, for example with: iconv -f ISO-8859-1 -t UTF-8",
  );
}

/** The same id twice is fine for equal tasks, which are then one task. */
function checkRepeatedId(
  byId: Map<string, { readonly value: unknown; readonly place: string }>,
  value: Submission,
  place: string,
): string | null {
  if (value.id === undefined) return null;
  const first = byId.get(value.id);
  if (first === undefined) byId.set(value.id, { value, place });
  if (first === undefined || isDeepStrictEqual(first.value, value)) return null;
  return `the id "${value.id}" is used for a different task at ${first.place}.`;
}

/** One submission from the command line, checked in the same way. */
export function checkOne(submission: Submission): void {
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
  try {
    const submission = value as Json;
    checkSubmission(submission);
    toSpec(submission, { id: (submission.id ?? "new") as TaskId, fingerprint: null, now: 0 }, "", { isNew: true });
    return null;
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    const { path, hint, problems } = error.details;
    const isMany = Array.isArray(problems) && problems.length > 1;
    if (isMany) return [problemLines(error), hint].filter((part) => part).join("\n");
    return [error.message, hint, path === undefined ? undefined : `(at ${path})`].filter((part) => part).join(" ");
  }
}
