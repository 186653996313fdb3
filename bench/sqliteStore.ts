/** Measures the SQLite store alone, without a master: `node bench/sqliteStore.ts [tasks] [folder]`. Prints a table. */

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutgoingEntry, Write } from "../src/model/entry.ts";
import type { WorkerId } from "../src/model/ids.ts";
import { changed, created, TestJournal, taskId } from "../src/proof/contracts/storeJournal.ts";
import { SqliteStore } from "../src/stores/sqlite/store.ts";

const tasks = Number(process.argv[2] ?? 100_000);
const parent = process.argv[3] ?? tmpdir();
const writesPerEntry = 1000;

mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, "outlast-bench-"));
const path = join(folder, "outlast.db");
const store = new SqliteStore({ path, ids: { random: () => "bench" } });
try {
  console.log(
    `${tasks} tasks in entries of ${writesPerEntry} writes; ${(await store.open()).durability}; node ${process.version}`,
  );
  const journal = new TestJournal();
  const sorted = Array.from(
    { length: tasks },
    (_, index) => `01K${index.toString(36).padStart(7, "0")}${randomBytes(8).toString("hex")}`,
  );
  const scattered = Array.from({ length: tasks / 4 }, () => randomBytes(13).toString("hex"));
  await measureWrites("create, ids in order", journal, sorted, (id) => created(id), writesPerEntry / 2);
  await measureWrites("start", journal, sorted, (id) => [
    changed(id, "running", { host: "worker-1" as WorkerId, assignedAt: 1, startedAt: 1 }),
  ]);
  await measureWrites("end", journal, sorted.slice(tasks / 2), (id) => [
    changed(id, "success", { host: "worker-1" as WorkerId, assignedAt: 1, startedAt: 1, endedAt: 1, output: null }),
  ]);
  await measureWrites("create, random ids", journal, scattered, (id) => created(id), writesPerEntry / 2);
  await measureWrites(
    "start, random ids",
    journal,
    scattered.toSorted(() => Math.random() - 0.5),
    (id) => [changed(id, "running")],
  );
  const single = Array.from({ length: 2000 }, () => randomBytes(13).toString("hex"));
  await measureWrites("create one by one", journal, single, (id) => created(id), 1);
  await measureReads(sorted);
  console.log(
    `file ${megabytes(statSync(path).size)}, heap ${megabytes(process.memoryUsage().heapUsed)}, resident ${megabytes(process.memoryUsage().rss)}`,
  );
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}

/** Encoding is done beforehand: only the store is measured. */
async function measureWrites(
  what: string,
  journal: TestJournal,
  ids: readonly string[],
  toWrites: (id: string) => Write[],
  idsPerEntry = writesPerEntry,
): Promise<void> {
  let ms = 0;
  let writes = 0;
  const cpu = { user: 0, system: 0 };
  const commits: number[] = [];
  for (let start = 0; start < ids.length; start += idsPerEntry) {
    const entry: OutgoingEntry = journal.next(...ids.slice(start, start + idsPerEntry).flatMap(toWrites));
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    await store.append(entry);
    const took = performance.now() - startedAt;
    const used = process.cpuUsage(cpuBefore);
    cpu.user += used.user;
    cpu.system += used.system;
    ms += took;
    commits.push(took);
    writes += entry.writes.length;
  }
  const cpuMs = (cpu.user + cpu.system) / 1000;
  line(
    what,
    `${perSecond(writes, ms)} writes/s`,
    `${perSecond(writes, cpuMs)} per CPU second`,
    `commit ${quantiles(commits)}`,
  );
}

async function measureReads(ids: readonly string[]): Promise<void> {
  let longest = 0;
  let loaded = 0;
  const startedAt = performance.now();
  const view = await store.loadView([]);
  let stepAt = performance.now();
  for await (const batch of view.tasks) {
    longest = Math.max(longest, performance.now() - stepAt);
    loaded += batch.length;
    stepAt = performance.now();
  }
  line(
    "load the view",
    `${perSecond(loaded, performance.now() - startedAt)} tasks/s`,
    `longest step ${longest.toFixed(1)} ms`,
  );
  const page = { order: "newest", cursor: null, limit: 100 } as const;
  await measureList("list everything", page);
  for (const state of ["created", "running", "success"] as const)
    await measureList(`list ${state}`, { ...page, states: [state] });
  await measureList("list a queue", { ...page, queue: "default" });
  await measureList("list by name (oldest task)", { ...page, name: ids[0] ?? "" });
  await measureList("list by host (no such)", { ...page, host: "nowhere" });
  const foundAt = performance.now();
  await store.findTasks(ids.slice(0, 10_000).map(taskId));
  line("find 10 000 ids", `${(performance.now() - foundAt).toFixed(1)} ms`);
}

async function measureList(what: string, query: Parameters<typeof store.listTasks>[0]): Promise<void> {
  const startedAt = performance.now();
  const { tasks: found } = await store.listTasks(query);
  line(what, `${(performance.now() - startedAt).toFixed(1)} ms`, `${found.length} tasks`);
}

function quantiles(samples: number[]): string {
  samples.sort((one, other) => one - other);
  const at = (share: number) =>
    (samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms`;
}

function perSecond(count: number, ms: number): string {
  return Math.round((count / ms) * 1000)
    .toLocaleString("en")
    .padStart(9);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}

function line(...cells: string[]): void {
  console.log(
    cells
      .map((cell) => cell.padEnd(28))
      .join("")
      .trimEnd(),
  );
}
