/** The closing table of `outlast map-reduce`. */

import { counted } from "../../model/counted.ts";
import { formatDuration } from "../../model/durationText.ts";
import type { Json } from "../../model/json.ts";
import type { Output } from "../output.ts";

/** `250.0 MB`; in kB where there is less than one. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** In characters. */
const keyShownMax = 40;

export interface RunFigures {
  /** From the submit to the end. */
  readonly ms: number;
  /** Attempts that were lost with their workers. */
  readonly kills: number;
  /** Whether every part was read and compared with what was committed. */
  readonly isVerified: boolean;
}

export function reportJob(
  output: Output,
  summary: { readonly [field: string]: Json },
  { ms, kills, isVerified }: RunFigures,
): void {
  if (output.isJson) return output.document({ ...summary, ms: Math.round(ms), kills, isVerified });
  const number = (field: string) => Number(summary[field] ?? 0);
  const text = (field: string) => (typeof summary[field] === "string" ? summary[field] : "");
  const bytes = (field: string) => megabytes(number(field));
  const counters = Object.entries(summary["counters"] ?? {}).map(([name, value]) => [name, String(value)] as const);
  const rows: (readonly [string, string])[] = [
    [
      "input",
      `${bytes("inputBytes")} in ${counted(number("inputFiles"), "file")}, ${counted(number("records"), "record")}`,
    ],
    ["maps", `${number("maps")} in ${formatDuration(number("mapMs"))}`],
    ["reduces", `${number("reduces")} in ${formatDuration(number("reduceMs"))}`],
    ["shuffled", `${bytes("shuffledBytes")}, ${number("pairs")} pairs`],
    ["skipped", skippedText(summary)],
    ["run again", `${kills} attempts whose worker was lost, ${number("mapsAgain")} maps whose output was lost`],
    ["backups", `${number("backups")} maps and reduces were done sooner by a second worker`],
    [
      "output",
      `${number("outputRecords")} lines, ${bytes("outputBytes")}; the largest part is ${number("skew")} times the average`,
    ],
    ...hottestKey(summary),
    ["time", `${(ms / 1000).toFixed(1)} s, ${(number("inputBytes") / 1000 / ms).toFixed(1)} MB/s`],
    ...counters,
    [
      "verified",
      `${isVerified ? "every part has the size and the SHA-256 that were committed" : "no, it cannot be read from here"}: ${text("folder")}`,
    ],
  ];
  output.table(
    [
      { title: "job", text: ([name]) => name },
      { title: text("name"), text: ([, value]) => value },
    ],
    rows,
  );
}

function skippedText({ skipped, skippedFile }: { readonly [field: string]: Json }): string {
  const count = Number(skipped ?? 0);
  if (typeof skippedFile !== "object" || skippedFile === null || Array.isArray(skippedFile))
    return counted(count, "record");
  const { records, name } = skippedFile;
  if (typeof name !== "string") return counted(count, "record");
  return `${counted(count, "record")}; ${records === count ? "they are" : `the first ${Number(records)} are`} in ${name}`;
}

function hottestKey({ maxKey, maxKeyShare }: { readonly [field: string]: Json }): (readonly [string, string])[] {
  if (typeof maxKey !== "string" || typeof maxKeyShare !== "number") return [];
  const share = (100 * maxKeyShare).toFixed(1);
  return [["largest key", `${JSON.stringify(maxKey.slice(0, keyShownMax))} has ${share} % of the values`]];
}
