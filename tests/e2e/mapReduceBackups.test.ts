/** Maps and reduces that take much longer than the others, on real clusters: another worker does the same, and the first result counts. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type JobOverrides, submitMapReduce } from "../../src/mapreduce/index.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import { type Scene, scene } from "./scene.ts";

const jobs = fileURLToPath(new URL("./tasks/gatedJob.ts", import.meta.url));
const text = Array.from({ length: 400 }, (_, index) => `to be ${index} or not to be`);

async function start(play: Scene, lines: readonly string[], overrides: JobOverrides) {
  const place = (name: string) => join(play.directory, name);
  writeFileSync(place("input"), `${lines.join("\n")}\n`);
  const params = { ledger: place("ledger"), mapGate: place("map-gate"), reduceGate: place("reduce-gate") };
  const given = { job: "slow", id: "job", input: [place("input")], output: place("out"), params };
  const job = await submitMapReduce(play.client, jobs, { ...given, ...overrides });
  return { job, output: place("out"), ledger: () => linesIn(params.ledger) };
}

function linesIn(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

function outputOf(folder: string): string[] {
  const parts = readdirSync(folder).filter((name) => name.startsWith("part-"));
  return parts.flatMap((name) => linesIn(join(folder, name)).filter((line) => line !== "")).sort();
}

function counted(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of lines.flatMap((line) => line.split(" "))) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word}\t${count}`).sort();
}

/** The tasks that had a backup, each with it. */
async function backupsOf({ client }: Scene): Promise<readonly (readonly [TaskDocument, TaskDocument])[]> {
  const { tasks } = await client.list({ limit: 200 });
  return tasks.flatMap((task) => {
    const backup = tasks.find(({ backupOf }) => backupOf === task.id);
    return backup === undefined ? [] : [[task, backup] as const];
  });
}

test("a map and a reduce that never end are done by another worker, and their processes are ended", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const lines = [...text, "here @map waits", "and @reduce too", ...text];
    const { job, output, ledger } = await start(play, lines, { maps: 8, reduces: 6 });
    expect(await job.result()).toMatchObject({ maps: 8, reduces: 6, backups: 2, mapsAgain: 0 });
    expect(outputOf(output)).toEqual(counted(lines));
    expect(readdirSync(output)).not.toContain("_temporary");
    expect(ledger().sort()).toEqual(["map", "map again", "reduce", "reduce again"]);
    const pairs = await backupsOf(play);
    expect(pairs).toHaveLength(2);
    for (const [task, backup] of pairs) {
      expect(task).toMatchObject({
        state: "success",
        failures: 0,
        kills: 0,
        backup: { id: backup.id, isWinner: true },
      });
      expect(backup).toMatchObject({ state: "success", output: task.output });
      expect(backup.host).not.toBe(task.host);
    }
    // Their own processes are gone, though their gates never opened.
    await play.until("their ends", async () => (await play.client.workers()).every(({ running }) => running === 0));
  }));

test("the map of a worker that stands still is done by another one, before that worker is given up", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const lines = [...text, "here @map waits", ...text];
    const { job, output, ledger } = await start(play, lines, { job: "gatedWithBackups", maps: 8, reduces: 2 });
    await play.until("a map to wait", () => ledger().includes("map"));
    const waiting = await play.until("the map that waits", async () => {
      const { tasks } = await play.client.list({ states: ["running"], limit: 20 });
      const [only, ...others] = tasks.filter(({ backupOf }) => backupOf === undefined);
      return others.length === 0 && only?.kind === "map-reduce.map" ? only : null;
    });
    const { process } = await play.started(waiting.id, waiting.attempt);
    play.cluster.signal(process, "SIGSTOP");
    writeFileSync(join(play.directory, "map-gate"), "");
    try {
      expect(await job.result()).toMatchObject({ maps: 8, backups: 1 });
    } finally {
      play.cluster.signal(process, "SIGCONT");
    }
    expect(outputOf(output)).toEqual(counted(lines));
    const [[task, backup] = []] = await backupsOf(play);
    expect(task).toMatchObject({ id: waiting.id, kills: 0, failures: 0, state: "success" });
    expect(backup?.host).not.toBe(task?.host);
    // What it comes with when it goes on is of no use any more.
    await play.until("its end", async () => (await play.client.workers()).every(({ running }) => running === 0));
    expect(outputOf(output)).toEqual(counted(lines));
  }));
