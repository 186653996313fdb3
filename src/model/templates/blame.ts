/** Says of what is wrong with an expanded task which variables of its template stand there. */
import { OutlastError } from "../errors.ts";
import type { Json } from "../json.ts";
import { isObject, quote } from "../kinds/kind.ts";
import type { Problem } from "../problems.ts";
import { placeholdersIn } from "./placeholders.ts";

/** @param task with its placeholders. @returns the error with the names, or as it is where no variable stands */
export function namingVariables(error: OutlastError, task: Json, hasReferences: boolean): OutlastError {
  const { path, problems } = error.details;
  if (!Array.isArray(problems)) {
    const names = path === undefined ? "" : namesAt(task, path, hasReferences);
    return names === "" ? error : new OutlastError(error.code, `${error.message} ${names}`, error.details);
  }
  let { message } = error;
  const named = (problems as unknown as readonly Problem[]).map((problem) => {
    const names = namesAt(task, problem.path, hasReferences);
    if (names === "") return { path: problem.path, message: problem.message };
    const more = `${problem.message} ${names}`;
    message = message.replace(problem.message, () => more);
    return { path: problem.path, message: more };
  });
  return new OutlastError(error.code, message, { ...error.details, problems: named });
}

/** A sentence about the variables at a place; empty if there are none. */
function namesAt(task: Json, path: string, hasReferences: boolean): string {
  let value = task;
  for (const part of path.split("/").slice(2)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const member = Array.isArray(value)
      ? value[Number(name)]
      : isObject(value) && Object.hasOwn(value, name)
        ? value[name]
        : undefined;
    // The rest of the path lies in the value of a variable.
    if (member === undefined) break;
    value = member;
  }
  // An object is wrong by itself: variables anywhere in it would say nothing.
  if (typeof value !== "string") return "";
  const names = new Set<string>();
  for (const { piece } of placeholdersIn(value, "", hasReferences))
    if ("variable" in piece) names.add(quote(piece.variable));
  if (names.size === 0) return "";
  return `It comes from the ${names.size === 1 ? "variable" : "variables"} ${[...names].join(" and ")}.`;
}
