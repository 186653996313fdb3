/**
 * MapReduce against plain programs, pipelines and data engines: word count over a built-in text, all in one run on one machine, and all
 * outputs the same. `node bench/mapReduce/main.ts [25mb|250mb] [rounds]`; `node bench/mapReduce/install.ts` gets what it compares with, and
 * what is not installed is named and left out. Wall-clock time and CPU time: the latter says more on a busy machine.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveCorpora } from "../../src/cli/mapReduce/corpus.ts";
import { Output } from "../../src/cli/output.ts";
import { median } from "../percentiles.ts";
import { type Contender, contendersFor } from "./contenders.ts";

const [corpus = "25mb", rounds = "3"] = process.argv.slice(2);
const jobSizes: { readonly [corpus: string]: { readonly maps: number; readonly reduces: number } } = {
  "25mb": { maps: 20, reduces: 5 },
  "250mb": { maps: 100, reduces: 20 },
};
const { maps, reduces } = jobSizes[corpus] ?? { maps: 100, reduces: 20 };
const [input = ""] = await resolveCorpora([corpus], new Output({ json: false, color: false }));
const megabytes = statSync(input).size / 1e6;
const folder = mkdtempSync(join(tmpdir(), "outlast-bench-"));
const all = contendersFor({ input, maps, reduces });
const contenders = all.filter(({ missing }) => missing.length === 0);

/** Java programs may say much. */
const stderrBytesMax = 64 << 20;

interface Measured {
  readonly wall: number;
  readonly cpu: number;
  readonly hash: string;
}

function measure(contender: Contender, round: number): Measured {
  const output = join(folder, `${contenders.indexOf(contender)}-${round}`);
  const script = `TIMEFORMAT='%R %U %S'; time { ${contender.command(output)}; }`;
  const run = spawnSync("bash", ["-c", script], { encoding: "utf8", maxBuffer: stderrBytesMax });
  const [wall = 0, user = 0, system = 0] = (run.stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  if (run.status !== 0) throw new Error(`${contender.name} failed: ${run.stderr}`);
  const hash = hashOf(output);
  rmSync(output, { recursive: true });
  return { wall, cpu: user + system, hash };
}

/** Of all lines, sorted by their bytes. */
function hashOf(output: string): string {
  const parts = readdirSync(output).filter((name) => name.startsWith("part-"));
  const lines = parts.flatMap((name) => readFileSync(join(output, name), "latin1").split("\n").slice(0, -1));
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

try {
  const runs = new Map<Contender, Measured[]>(contenders.map((contender) => [contender, []]));
  // Round by round, so that what else the machine does hits all of them.
  for (let round = 0; round < Number(rounds); round += 1) {
    for (const contender of contenders) runs.get(contender)?.push(measure(contender, round));
  }
  const hashes = new Set([...runs.values()].flat().map(({ hash }) => hash));
  if (hashes.size !== 1) {
    const each = [...runs].map(([{ name }, measured]) => `${name}: ${measured.map(({ hash }) => hash).join(" ")}`);
    throw new Error(`The outputs differ.\n${each.join("\n")}`);
  }
  console.log(
    `Word count of ${megabytes.toFixed(0)} MB, ${maps} maps, ${reduces} reduces, medians of ${rounds}; all outputs are the same.\n`,
  );
  console.log("| program | s | MB/s | CPU s | MB per CPU s |\n|---|---|---|---|---|");
  for (const [{ name }, measured] of runs) {
    const wall = median(measured.map((one) => one.wall));
    const cpu = median(measured.map((one) => one.cpu));
    console.log(
      `| ${name} | ${wall.toFixed(1)} | ${(megabytes / wall).toFixed(1)} | ${cpu.toFixed(1)} | ${(megabytes / cpu).toFixed(1)} |`,
    );
  }
  const leftOut = all.filter(({ missing }) => missing.length > 0);
  for (const { name, missing } of leftOut) console.log(`\nLeft out: ${name}. Not installed: ${missing.join(", ")}.`);
  if (leftOut.length > 0) console.log("\n`node bench/mapReduce/install.ts` installs what is missing.");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
