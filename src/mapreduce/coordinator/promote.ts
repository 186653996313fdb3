/**
 * Promotes the parts of a job's output: gives each its final name, then writes the manifest, then `_SUCCESS`. A reader that waits for
 * `_SUCCESS` sees all of the output or nothing. May be done again from the beginning at any point: the end is the same.
 */
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { PartManifest } from "./settings.ts";
import { skippedName } from "./skippedRecords.ts";
import { type FileRef, type JobStore, writeText } from "./store.ts";

export interface PromotionPlan {
  /** Of the job's task. */
  readonly attempt: number;
  readonly format: "tsv" | "jsonl";
  /** Put it in place of an earlier output. */
  readonly overwrite: boolean;
  readonly parts: readonly PartManifest[];
  /** Missing if no record was skipped. */
  readonly skippedFile?: FileRef | null;
  /** What the manifest says besides the parts. */
  readonly summary: object;
}

export const successName = "_SUCCESS";
export const manifestName = "_manifest.json";
/** What a job leaves besides its parts. */
export const namesBesideParts: readonly string[] = [successName, manifestName, skippedName];
const partPattern = /^part-\d+\.(tsv|jsonl)$/;

/** True for what a job may have put into its output. */
export function isOutputName(name: string): boolean {
  return partPattern.test(name) || namesBesideParts.includes(name);
}

const writtenByOthers = (name: string) => `${name} of the output was written by somebody else while the job ran.`;

export async function promote(store: JobStore, plan: PromotionPlan): Promise<void> {
  const { attempt, format, overwrite, parts, skippedFile = null, summary } = plan;
  const names = parts.map(({ partition }) => `part-${String(partition).padStart(5, "0")}.${format}`);
  const promotion = await store.promotion(attempt);
  if (overwrite) {
    // `_SUCCESS` goes first, so that nobody takes a mixture of two outputs for whole.
    await promotion.retract(successName);
    await promotion.retract(manifestName);
    if (skippedFile === null) await promotion.retract(skippedName);
  }
  // Parts that this job does not write: of another number, or in another format.
  for (const name of await promotion.names()) {
    if (!partPattern.test(name) || names.includes(name)) continue;
    if (!overwrite) throw new NonRetryableError(writtenByOthers(name));
    await promotion.retract(name);
  }
  const named = parts.map((part, index): [FileRef, string] => [part, names[index] ?? ""]);
  if (skippedFile !== null) named.push([skippedFile, skippedName]);
  for (const [file, name] of named) {
    if (overwrite) await promotion.replace(file, name);
    else if (!(await promotion.link(file, name))) throw new NonRetryableError(writtenByOthers(name));
  }
  const listed = parts.map(({ size, sha256, records }, index) => ({ name: names[index], size, sha256, records }));
  const text = `${JSON.stringify({ ...summary, parts: listed }, null, 2)}\n`;
  const manifest = await writeText(store, "job/manifest", text);
  await promotion.replace(manifest, manifestName);
  // It says of which manifest. In S3, two objects of one content could not be told apart by conditions.
  await promotion.replace(await writeText(store, "job/success", `${manifest.sha256}\n`), successName);
}
