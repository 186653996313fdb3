/** Paths inside the folder of an attempt, and patterns for them: none of them may lead out of it. */
import { limits } from "../limits.ts";
import { utf8Bytes } from "../utf8.ts";

/** Why a text is no relative path that stays inside its folder, as the end of a sentence; null if it is one. */
export function relativePathProblem(path: string): string | null {
  if (path === "") return "it is empty";
  if (!path.isWellFormed() || path.includes("\0")) return "NUL and broken characters are not allowed";
  if (utf8Bytes(path) > limits.filePathBytesMax) return `it is longer than ${limits.filePathBytesMax} bytes`;
  if (path.startsWith("/")) return "it must be relative";
  for (const part of path.split("/")) {
    if (part === "" || part === "." || part === "..") return `no part of it may be empty, "." or ".."`;
    if (utf8Bytes(part) > limits.fileNameBytesMax)
      return `a part of it is longer than ${limits.fileNameBytesMax} bytes`;
  }
  return null;
}

/**
 * Whether a path matches one of these patterns. `*` and `?` stand for anything within one part, `**` as a whole part for any
 * number of parts. Names that begin with a dot are names like others. A pattern that names a folder means all that is in it.
 */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const compiled = patterns.map(partsOf);
  return (path) => compiled.some((parts) => fits(parts, path.split("/"), "**", nameFits));
}

/** Whether anything below a folder can match one of these patterns: where nothing can, nobody need look. */
export function folderMatcher(patterns: readonly string[]): (folder: string) => boolean {
  const beginnings = patterns.map(partsOf).flatMap((parts) => parts.map((_, index) => parts.slice(0, index + 1)));
  return (folder) => beginnings.some((parts) => fits(parts, folder.split("/"), "**", nameFits));
}

function partsOf(pattern: string): string[] {
  return [...pattern.split("/"), "**"];
}

function nameFits(pattern: string, name: string): boolean {
  return fits(
    Array.from(pattern),
    Array.from(name),
    "*",
    (wanted, character) => wanted === "?" || wanted === character,
  );
}

/** Goes back to the last star only, so that a hostile pattern costs no more than the product of the two lengths. */
function fits(
  pattern: readonly string[],
  text: readonly string[],
  star: string,
  isAlike: (wanted: string, given: string) => boolean,
): boolean {
  let at = 0;
  let next = 0;
  let lastStar = -1;
  let starAt = 0;
  while (at < text.length) {
    const wanted = pattern[next];
    if (wanted === star) {
      lastStar = next;
      starAt = at;
      next += 1;
    } else if (wanted !== undefined && isAlike(wanted, text[at] ?? "")) {
      next += 1;
      at += 1;
    } else if (lastStar === -1) return false;
    else {
      starAt += 1;
      at = starAt;
      next = lastStar + 1;
    }
  }
  return pattern.slice(next).every((wanted) => wanted === star);
}
