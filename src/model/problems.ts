/** Several things that are wrong with one request, told in one error. */
import { OutlastError } from "./errors.ts";
import { limits } from "./limits.ts";

export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** The error that lists all of `problems`; there is at least one. */
export function toError(problems: readonly Problem[], subject: string, hint?: string): OutlastError {
  const shown = problems.slice(0, limits.problemsShownMax);
  const rest = problems.length - shown.length;
  const sentences = [...shown.map(({ message }) => message), ...(rest > 0 ? [`And ${rest} more.`] : [])];
  const [first] = problems;
  const start = problems.length === 1 ? "" : `${problems.length} things are wrong with ${subject}. `;
  return new OutlastError("invalid", start + sentences.join(" "), {
    path: first?.path ?? "",
    problems: shown.map(({ path, message }) => ({ path, message })),
    ...(hint !== undefined && { hint }),
  });
}
