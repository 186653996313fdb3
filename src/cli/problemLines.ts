/** The message of an error for people: where several things are wrong with one request, each has a line of its own. */
import type { OutlastError } from "../model/errors.ts";

interface Shown {
  readonly path: string;
  readonly message: string;
}

/** Ends with where in the request it is, as far as that is known. */
export function problemLines({ message, details }: OutlastError): string {
  const { path } = details;
  const problems = (details["problems"] ?? []) as unknown as readonly Shown[];
  if (problems.length < 2) return withPlace(message, path);
  const start = message.indexOf(". ");
  // "12 things are wrong with …", of which the first are listed.
  const rest = Number.parseInt(message, 10) - problems.length;
  return [
    `${message.slice(0, start)}:`,
    ...problems.map((problem) => `- ${withPlace(problem.message, problem.path)}`),
    ...(rest > 0 ? [`- and ${rest} more`] : []),
  ].join("\n");
}

function withPlace(message: string, path: string | undefined): string {
  return path === undefined || path === "" ? message : `${message} (at ${path})`;
}
