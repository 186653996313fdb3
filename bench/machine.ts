/** What the machine itself gives, so that figures of different machines can be told apart, and whether others use it meanwhile. */
import { createHash } from "node:crypto";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { clockTickMs, familyCpuMs } from "./processFigures.ts";

/** About as much as a commit of a busy master writes. */
const syncedBytes = 17 * 1024;
const secondsPerFigure = 1;
const coresOfOthersWhenCalm = 0.1;

interface MachineFigures {
  /** Writes of 17 KiB, each synced to the disk before the next, in a second. Every durable queue waits for these. */
  readonly syncedWritesPerSecond: number;
  /** JSON of small tasks, written and read again on one thread, in MB a second. */
  readonly jsonMegabytesPerSecond: number;
  /** SHA-256 over 1 KiB on one thread, thousands in a second. */
  readonly kiloHashesPerSecond: number;
}

/** What every run of the bench prints first. Takes about three seconds. @param parent a folder on the disk that is measured */
export function machineLines(parent: string): readonly string[] {
  const watch = new LoadWatch();
  const { syncedWritesPerSecond, jsonMegabytesPerSecond, kiloHashesPerSecond } = measureMachine(parent);
  const others = watch.coresUsedByOthers();
  const calm = others < coresOfOthersWhenCalm ? "" : "; THIS MACHINE IS NOT CALM, its figures are lower bounds";
  return [
    `machine: Node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)}; others use ${others.toFixed(2)} cores${calm}`,
    `         ${syncedWritesPerSecond.toFixed(0)} synced writes of 17 KiB/s, ${jsonMegabytesPerSecond.toFixed(0)} MB of JSON/s, ${kiloHashesPerSecond.toFixed(0)} thousand SHA-256/s`,
  ];
}

function measureMachine(parent: string): MachineFigures {
  return {
    syncedWritesPerSecond: measureSyncedWrites(parent),
    jsonMegabytesPerSecond: measureJson(),
    kiloHashesPerSecond: measureHashes(),
  };
}

function measureSyncedWrites(parent: string): number {
  const directory = mkdtempSync(join(parent, "outlast-bench-disk-"));
  const file = openSync(join(directory, "synced"), "w");
  const block = Buffer.alloc(syncedBytes, "x");
  try {
    return perSecond(() => {
      writeSync(file, block);
      fdatasyncSync(file);
    });
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}

function measureJson(): number {
  const tasks = Array.from({ length: 1_000 }, (_, index) => ({
    id: `task-${index}`,
    kind: "sleep",
    input: { seconds: 0 },
  }));
  const bytes = JSON.stringify(tasks).length;
  const rounds = perSecond(() => {
    JSON.parse(JSON.stringify(tasks));
  });
  return (rounds * bytes) / 1e6;
}

function measureHashes(): number {
  const block = Buffer.alloc(1024, "x");
  return perSecond(() => createHash("sha256").update(block).digest()) / 1000;
}

function perSecond(work: () => void): number {
  const startedAt = performance.now();
  let count = 0;
  let elapsedMs = 0;
  while (elapsedMs < secondsPerFigure * 1000) {
    work();
    count += 1;
    elapsedMs = performance.now() - startedAt;
  }
  return (count * 1000) / elapsedMs;
}

/** Tells how much of the machine was used by processes that are not this one or started by it. */
export class LoadWatch {
  readonly #startedAt = performance.now();
  readonly #others = othersMs();

  /** Cores that others have used on average since this watch was made; 0 on a calm machine. */
  coresUsedByOthers(): number {
    return Math.max(0, (othersMs() - this.#others) / (performance.now() - this.#startedAt));
  }
}

function othersMs(): number {
  return busyMs() - familyCpuMs(process.pid);
}

/** CPU time of the whole machine since it started; see proc(5). Time that a hypervisor took away counts as somebody else's. */
function busyMs(): number {
  const fields = (/^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? "").split(" ").map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) * clockTickMs;
}
