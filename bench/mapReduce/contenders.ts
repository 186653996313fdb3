/** The programs that count words side by side, each as its own manual advises for two cores, and what each needs to be there. */
import { fileURLToPath } from "node:url";
import { isInstalled } from "../../scripts/debianPackages.ts";
import { arePythonPackagesInstalled, pythonProgram, versionOf } from "./pythonPackages.ts";

export interface Job {
  readonly input: string;
  readonly maps: number;
  readonly reduces: number;
}

export interface Contender {
  readonly name: string;
  /** What is not installed of what it needs; empty if it can run. */
  readonly missing: readonly string[];
  /** For bash. Leaves `word<tab>count` lines in files `part-*` of this folder, which it makes. */
  command(output: string): string;
}

/** By the program that is needed of each. */
export const debianPackages = { mawk: "mawk", parallel: "parallel", java: "default-jre-headless" } as const;

type Program = keyof typeof debianPackages;

const threads = 2;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export function contendersFor(job: Job): readonly Contender[] {
  return [...ownContenders(job), ...pipelines(job), ...pythonContenders(job)];
}

function ownContenders({ input, maps, reduces }: Job): readonly Contender[] {
  const outlast = (example: string) => (output: string) =>
    `${process.execPath} ${here("../../bin/outlast.js")} map-reduce ${here(`../../examples/map-reduce/${example}.ts`)} --local --json -c ${input} -m ${maps} -r ${reduces} -o ${output} > /dev/null`;
  const plain = (count: number) => (output: string) =>
    `mkdir ${output} && ${process.execPath} ${here("./plainNode.ts")} ${input} ${count} > ${output}/part-0`;
  return [
    { name: "Outlast, lines, with its cluster's start and end", missing: [], command: outlast("wordcount") },
    { name: "Outlast, chunks, with its cluster's start and end", missing: [], command: outlast("wordcountBytes") },
    { name: "plain Node, lines and a Map, 1 thread", missing: [], command: plain(1) },
    { name: "plain Node, lines and a Map, 2 threads", missing: [], command: plain(2) },
  ];
}

/** Words as the examples see them: letters, digits, apostrophes and all beyond ASCII. */
const splitWords = `LC_ALL=C tr 'A-Z' 'a-z' | LC_ALL=C tr -cs "a-z0-9'\\200-\\377" '\\n'`;
const countLines = `LC_ALL=C mawk 'length($0) { n[$0]++ } END { for (w in n) printf "%s\\t%d\\n", w, n[w] }'`;
const addCounts = `LC_ALL=C mawk -F '\\t' '{ n[$1] += $2 } END { for (w in n) printf "%s\\t%d\\n", w, n[w] }'`;

function pipelines({ input }: Job): readonly Contender[] {
  return [
    {
      name: "tr, tr, mawk",
      missing: missingOf("mawk"),
      command: (output) => `mkdir ${output} && { ${splitWords} | ${countLines}; } < ${input} > ${output}/part-0`,
    },
    {
      name: `GNU parallel of ${threads} × (tr, tr, mawk), mawk`,
      missing: missingOf("mawk", "parallel"),
      // One piece of the file for each job, which reads it by itself: faster than one reader for all, as its manual says of `--pipe`.
      command: (output) =>
        `mkdir ${output} && count() { ${splitWords} | ${countLines}; } && export -f count && PARALLEL_SHELL=$BASH parallel --will-cite -j${threads} --pipepart -a ${input} --block -1 count | ${addCounts} > ${output}/part-0`,
    },
    {
      name: "tr, tr, sort, uniq",
      missing: missingOf("mawk"),
      command: (output) =>
        `mkdir ${output} && { ${splitWords} | LC_ALL=C sort --parallel=${threads} -S1G | uniq -c | LC_ALL=C mawk 'NF == 2 { printf "%s\\t%s\\n", $2, $1 }'; } < ${input} > ${output}/part-0`,
    },
  ];
}

function pythonContenders({ input }: Job): readonly Contender[] {
  const packages = arePythonPackagesInstalled() ? [] : ["its Python package"];
  const python = (program: string) => (output: string) =>
    `${pythonProgram("python")} ${here(program)} ${input} ${output} ${threads}`;
  const spark = [
    ...["--master", `'local[${threads}]'`, "--driver-memory", "4g"],
    // Two to three tasks per core, as its tuning guide advises; 200 if left out.
    ...["--conf", `spark.sql.shuffle.partitions=${2 * threads}`],
    ...["--conf", "spark.ui.enabled=false", "--conf", "spark.log.level=ERROR"],
  ].join(" ");
  return [
    {
      name: `DuckDB ${versionOf("duckdb")}, ${threads} threads`,
      missing: packages,
      command: python("./wordcountDuckdb.py"),
    },
    {
      name: `Polars ${versionOf("polars")}, ${threads} threads, streaming`,
      missing: packages,
      command: python("./wordcountPolars.py"),
    },
    {
      name: `PySpark ${versionOf("pyspark")}, local[${threads}], with its start and end`,
      missing: [...packages, ...missingOf("java")],
      // Its Java waits for its Python and not the other way round, so that bash counts the CPU time of both.
      command: (output) =>
        `PYSPARK_PYTHON=${pythonProgram("python")} ${pythonProgram("spark-submit")} ${spark} ${here("./wordcountSpark.py")} ${input} ${output}`,
    },
  ];
}

function missingOf(...programs: readonly Program[]): readonly string[] {
  return programs.filter((program) => !isInstalled(program)).map((program) => debianPackages[program]);
}
