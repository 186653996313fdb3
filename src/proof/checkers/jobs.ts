/** What simulated MapReduce jobs read and must give. All of it follows from the input of the job, so whoever reads a journal knows it. */
import { type MapReduceInput, mapReduceKindName } from "../../model/kinds/mapReduce.ts";
import type { TaskSpec } from "../../model/task.ts";
import { hashText } from "./hashText.ts";

/** A record with this word kills the process that maps it. */
export const deadlyWord = "deadly";

const words = ["be", "do", "go", "he", "it", "me", "no", "of"];

/** The text of a simulated input file: one word count differs from the next, and lines are of several lengths. */
export function textOf(path: string): string {
  const lines = Array.from({ length: 12 }, (_, line) => {
    const count = 1 + (hashText(`${path} ${line}`) % 5);
    return Array.from({ length: count }, (_each, at) => words[hashText(`${path} ${line} ${at}`) % words.length]).join(
      " ",
    );
  });
  if (path.includes(deadlyWord)) lines[7] = deadlyWord;
  return `${lines.join("\n")}\n`;
}

/** The input of a job; null for a task that is none. */
export function jobOf({ kind, input }: Pick<TaskSpec, "kind" | "input">): MapReduceInput | null {
  return kind === mapReduceKindName ? (input as unknown as MapReduceInput) : null;
}

/** How often each word occurs in the input of a job, counted plainly. Deadly records are left out. */
export function countWords({ input }: MapReduceInput): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const path of input.paths) {
    for (const line of textOf(path).split("\n")) {
      if (line.includes(deadlyWord)) continue;
      for (const word of line.split(" ")) if (word !== "") counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

/** The name of a part of the output; null for another file. */
export function partitionOf(name: string): number | null {
  const number = /^part-(\d{5})\.tsv$/.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}
