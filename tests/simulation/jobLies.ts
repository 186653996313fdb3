/** Lies about MapReduce jobs: what reduces read, how output is promoted, and when files go. */
import type { Write } from "../../src/model/entry.ts";
import { childId, childPrefix } from "../../src/model/family.ts";
import type { Json } from "../../src/model/json.ts";
import {
  type MapReduceInput,
  mapKindName,
  mapReduceKindName,
  reduceKindName,
} from "../../src/model/kinds/mapReduce.ts";
import { countWords } from "../../src/proof/checkers/jobs.ts";
import { MadeHistory, spec, status, task } from "./madeHistory.ts";

const input: MapReduceInput = {
  code: { sha256: "0".repeat(64), text: "" },
  job: "wordcount",
  input: { format: "lines", paths: ["text"] },
  maps: 1,
  reduces: 1,
  output: { format: "tsv", folder: "out" },
  partition: "hash",
};
const mapId = childId(childPrefix(task, 0, "maps"), 0);
const reduceId = childId(childPrefix(task, 0, "reduces"), 0);
const right = [...countWords(input)].map(([word, count]) => `${word}\t${count}\n`).join("");
const partName = "part-00000.tsv";

const made = (id: typeof task, kind: string, more: Json): Write[] => [
  { kind: "spec", spec: spec({ id, kind, input: more, ...(id !== task && { parent: task, depth: 1 }) }) },
  { kind: "status", status: status({ id }) },
];
const success = (id: typeof task, output: Json): Write[] => [
  { kind: "status", status: status({ id, state: "success", attempt: 1, output }) },
];

/** A job of one map and one reduce, told step by step. */
class MadeJob extends MadeHistory {
  begin(): this {
    return this.entry(
      ...made(task, mapReduceKindName, input as unknown as Json),
      ...made(mapId, mapKindName, { map: 0 }),
    );
  }

  map(file = "map/a"): this {
    return this.writes(file, "m").entry(...success(mapId, { map: 0, name: file, token: "m" }));
  }

  writes(file: string, token: string): this {
    return this.add({ kind: "job-file", job: task, file, token });
  }

  reduces(reads: readonly string[] = ["map/a"]): this {
    this.entry(...made(reduceId, reduceKindName, { partition: 0 })).execStart(1, { task: reduceId, token: "r" });
    for (const file of reads) this.add({ kind: "job-file-read", job: task, file, token: "r" });
    return this;
  }

  part(file = "reduce/a"): this {
    const output = { part: { partition: 0, name: file }, token: "r" };
    return this.writes(file, "r")
      .execEnd(1, "success", { task: reduceId, token: "r" })
      .entry(...success(reduceId, output));
  }

  puts(name: string, file: string | null, text = ""): this {
    const put = file === null ? null : { name: file, text };
    return this.add({ kind: "job-output", job: task, folder: "out", name, file: put });
  }

  promotes(text = right): this {
    return this.puts(partName, "reduce/a", text).puts("_manifest.json", "job/m").puts("_SUCCESS", "job/s");
  }

  remembers(): this {
    return this.entry({ kind: "record", collection: "steps", id: `${task}/0.commit`, value: { value: {} } });
  }

  cleans(): this {
    return this.add({ kind: "job-files-removed", job: task });
  }

  succeeds(): this {
    return this.entry(...success(task, { token: "j" }));
  }
}

const begun = () => new MadeJob().begin();
const reduced = () => begun().map().reduces().part();

/** A job as it should be. */
/** A job that is cancelled while it promotes, and retried: it refuses the output that is there. */
export const retriedJob = () =>
  reduced()
    .puts(partName, "reduce/a", right)
    .status({ state: "cancelled", attempt: 1 })
    .status({ state: "created", attempt: 1 })
    .status({ state: "failed", attempt: 2, error: { code: "non-retryable", message: "no" } });
export const goodJob = () => reduced().promotes().remembers().cleans().succeeds();

export const jobLies = {
  I28: {
    "a reduce reads a file before its map is committed": () =>
      begun().writes("map/a", "m").reduces().map().part().promotes().remembers().cleans().succeeds(),
    "a reduce reads the file of a losing attempt": () =>
      begun().writes("map/b", "n").map().reduces(["map/a", "map/b"]).part(),
    "a reduce reads a file that was not written whole": () =>
      begun()
        .entry(...success(mapId, { map: 0, name: "map/a" }))
        .reduces(),
    "a reduce reads two files of one map": () => {
      const twice = begun().map();
      const again = childId(childPrefix(task, 0, "maps-2"), 0);
      twice
        .writes("map/b", "n")
        .entry(...made(again, mapKindName, { map: 0 }), ...success(again, { map: 0, name: "map/b" }));
      return twice.reduces(["map/a", "map/b"]);
    },
    "a map waits in another queue than its job": () => {
      const [first, ...rest] = made(mapId, mapKindName, { map: 0 });
      if (first?.kind !== "spec") throw new Error("no spec");
      return new MadeJob().entry(
        ...made(task, mapReduceKindName, input as unknown as Json),
        { ...first, spec: { ...first.spec, queue: "other" } },
        ...rest,
      );
    },
    "a reduce leaves out a map": () => begun().map().reduces([]).part(),
    "a reduce fails by a lost file": () =>
      begun()
        .map()
        .add({ kind: "job-file-spoilt", job: task, file: "map/a" })
        .reduces()
        .execEnd(1, "failed", { task: reduceId, token: "r" }),
    "a part is promoted that no reduce has committed": () =>
      begun().map().reduces().puts(partName, "reduce/a", right).part(),
    "a part is promoted that an attempt left that was given up": () => reduced().puts(partName, "reduce/b", right),
    "the manifest comes before a part": () => reduced().puts("_manifest.json", "job/m"),
    "_SUCCESS comes before the manifest": () => reduced().puts(partName, "reduce/a", right).puts("_SUCCESS", "job/s"),
    "output is promoted twice": () => goodJob().puts(partName, "reduce/a", right),
    "output goes after the success": () => goodJob().puts("_SUCCESS", null),
    "there is no _SUCCESS": () =>
      reduced().puts(partName, "reduce/a", right).puts("_manifest.json", "job/m").remembers().cleans().succeeds(),
    "there is no output": () => reduced().remembers().cleans().succeeds(),
    "a part of an earlier output is left": () =>
      reduced().puts("part-00001.tsv", "reduce/a").promotes().remembers().cleans().succeeds(),
    "skipped records of another job are left": () =>
      reduced().puts("_skipped.jsonl", "job/x", "{}\n").promotes().remembers().cleans().succeeds(),
    "a word is counted twice": () => reduced().promotes(right.replace(/\d+/, "99")).remembers().cleans().succeeds(),
    "it fails by itself": () =>
      reduced().entry({
        kind: "status",
        status: status({ state: "failed", attempt: 1, error: { code: "non-retryable", message: "no" } }),
      }),
  },
  I29: {
    "files are removed before the outcome is remembered": () => reduced().promotes().cleans().remembers().succeeds(),
    "files are left": () => reduced().promotes().remembers().succeeds(),
    "files are written after the removal": () =>
      reduced().promotes().remembers().cleans().writes("map/late", "m").succeeds(),
  },
} satisfies { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } };
