/** The output of an earlier job as input: its manifest names the parts that belong to it. */
import { createHash } from "node:crypto";
import type { Json } from "../../model/json.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { manifestName, namesBesideParts, successName } from "../coordinator/promote.ts";
import { temporaryFolder } from "./jobFiles.ts";

export interface OutputPart {
  readonly name: string;
  readonly size: number;
}

/**
 * @param read the text of a file in the folder; null if there is none
 * @returns null if no job wrote this folder
 * @throws NonRetryableError if its output is not whole
 */
export async function partsOfOutput(
  folder: string,
  read: (name: string) => Promise<string | null>,
): Promise<readonly OutputPart[] | null> {
  const manifest = await read(manifestName);
  const parts = manifest === null ? null : partsIn(manifest);
  if (manifest === null || parts === null) return null;
  const success = await read(successName);
  const sha256 = createHash("sha256").update(manifest).digest("hex");
  if (success !== null && (success === "" || success.trim() === sha256)) return parts;
  throw new NonRetryableError(`The output in ${folder} is not whole: its job runs, or another one replaces it.`);
}

function partsIn(manifest: string): readonly OutputPart[] | null {
  try {
    const { job, parts } = JSON.parse(manifest) as { readonly [field: string]: Json | undefined };
    // A file of this name that somebody else wrote is left out, as all such names are.
    return typeof job === "string" && Array.isArray(parts) ? (parts as unknown as readonly OutputPart[]) : null;
  } catch {
    return null;
  }
}

/** @throws NonRetryableError unless the part has the size that the manifest says */
export function checkPart(path: string, part: OutputPart, size: number | null): void {
  if (size === part.size) return;
  const what = size === null ? "is gone" : `has ${size} bytes instead of ${part.size}`;
  throw new NonRetryableError(`${path} ${what}: it is not what its job wrote.`);
}

/** What a job leaves besides its parts. Patterns do not mean it. */
export function isOfOutput(path: string): boolean {
  const names = path.split(/[/\\]/);
  const last = names.at(-1);
  return namesBesideParts.includes(last ?? "") || names.includes(temporaryFolder);
}
