/** Each check of the MapReduce act sees the lie that it is there for. */
import { describe, expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import { checkJob, type JobEvidence } from "./mapReduceChecks.ts";

function task(name: string, change: Partial<TaskDocument> = {}): TaskDocument {
  return { id: name as TaskId, name, state: "success", attempt: 1, failures: 0, kills: 0, ...change } as TaskDocument;
}

function evidence(): JobEvidence & { documents: TaskDocument[]; files: Map<string, Buffer> } {
  const parts = { "part-00000.tsv": "a\t2\nc\t1\n", "part-00001.tsv": "b\t1\n" };
  const manifest = { parts: Object.entries(parts).map(([name, text]) => ({ name, size: text.length })) };
  const texts = { ...parts, "_manifest.json": JSON.stringify(manifest), _SUCCESS: "" };
  return {
    corpus: "c",
    documents: [
      task("count", { attempt: 3, family: { steps: 0, stepBytes: 0, epoch: 0, children: 4 } }),
      task("map 0"),
      task("map 1", { attempt: 2, kills: 1 }),
      task("reduce 0"),
      task("reduce 1", { attempt: 2, kills: 1 }),
    ],
    maps: 2,
    reduces: 2,
    files: new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)])),
    expected: Buffer.from("a\t2\nb\t1\nc\t1\n"),
    kills: [
      { what: "leader", process: "master", at: 1, done: 0, nextMs: 10 },
      { what: "map worker", process: "worker-1", at: 2, done: 1, nextMs: 10 },
      { what: "reduce worker", process: "worker-2", at: 3, done: 3, nextMs: 10 },
    ],
  };
}

function broken(change: (story: ReturnType<typeof evidence>) => void): string[] {
  const story = evidence();
  change(story);
  return checkJob(story).flatMap(({ id, holds }) => (holds ? [] : [id]));
}

describe("a job that kept everything", () => {
  test("passes, with cases for each check", () => {
    const checks = checkJob(evidence());
    expect(checks.filter(({ holds, cases }) => !holds || cases === 0)).toEqual([]);
  });
});

describe("a lie is seen", () => {
  test.each<[string, string, (story: ReturnType<typeof evidence>) => void]>([
    ["a word is counted twice", "job-output", ({ files }) => files.set("part-00001.tsv", Buffer.from("b\t2\n"))],
    ["a part is missing", "job-output", ({ files }) => files.delete("part-00001.tsv")],
    ["a part is not sorted", "job-output", ({ files }) => files.set("part-00000.tsv", Buffer.from("c\t1\na\t2\n"))],
    ["lost work counts as a failure", "job-reruns", ({ documents }) => documents.push(task("x", { failures: 1 }))],
    ["finished maps ran again", "job-reruns", ({ documents }) => documents.push(task("x", { kills: 1, attempt: 2 }))],
    ["a map ran again without a death", "job-reruns", ({ documents }) => documents.push(task("x", { attempt: 2 }))],
    ["a map was committed twice", "job-committed", ({ documents }) => documents.push(task("map 0"))],
    ["a file of a lost attempt is left", "job-committed", ({ files }) => files.set("_temporary", Buffer.alloc(0))],
    ["the end mark is missing", "job-committed", ({ files }) => files.delete("_SUCCESS")],
  ])("%s", (_, id, change) => {
    expect(broken(change)).toContain(id);
  });

  test("nobody was killed among the reduces", () => {
    const story = evidence();
    const kills = story.kills.map((kill) => ({ ...kill, done: 1 }));
    expect(checkJob({ ...story, kills }).find(({ id }) => id === "job-kills")?.holds).toBe(false);
  });
});
