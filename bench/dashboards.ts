/** What open dashboards cost a master, and what changes cost a page: tasks come and go meanwhile, as many in a second as are asked for. */
import { setTimeout as pause } from "node:timers/promises";
import { type CDPSession, chromium } from "playwright-core";
import { createClient } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";
import { cpuMs } from "./processFigures.ts";

const spanMs = 15_000;
const settleMs = 3_000;
const batchMs = 100;
/** Each is made, assigned, started and ended. */
const changesOfTask = 4;
const taskSeconds = 0.2;

/** What the overview reads after a change of tasks, and what it reads at a pace of its own, in ms: see web/src/api/queries.ts. */
const afterChanges = ["/v1/status", "/v1/queues"];
const byItself = { "/v1/masters": 2_000, "/v1/workers": 2_000, "/v1/history?resolution=second": 1_000 };
const readAgainMs = 1_000;
/** A page asks for the newest points of its chart only. */
const newestMs = 3_000;

export interface DashboardCosts {
  /** CPU time of the master by time, 1 for one core. */
  readonly quietShare: number;
  readonly busyShare: number;
  /** Made meanwhile: fewer than were asked for where the machine has no time left. */
  readonly changesPerSecond: number;
  readonly callsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Follows and reads as so many open overviews do. */
export async function measureDashboards(
  cluster: BenchCluster,
  dashboards: number,
  changesPerSecond: number,
): Promise<DashboardCosts> {
  return underLoad(cluster, changesPerSecond, async () => {
    const quiet = await masterShare(cluster);
    const stop = new AbortController();
    const sum = { calls: 0, bytes: 0 };
    const open = Promise.all(Array.from({ length: dashboards }, () => overview(cluster.address, sum, stop.signal)));
    const client = createClient({ masters: [cluster.address] });
    const look = async () => ({
      ...sum,
      ended: (await client.status()).stats.tasks["success"] ?? 0,
      at: performance.now(),
    });
    const watch = async () => {
      await pause(settleMs);
      const before = await look();
      const busyShare = await masterShare(cluster);
      const after = await look();
      const perSecond = (what: "calls" | "bytes" | "ended") =>
        ((after[what] - before[what]) * 1_000) / (after.at - before.at);
      return {
        ...{ quietShare: quiet, busyShare, callsPerSecond: perSecond("calls"), bytesPerSecond: perSecond("bytes") },
        changesPerSecond: perSecond("ended") * changesOfTask,
      };
    };
    const stopped = open.then((): never => {
      throw new Error("The dashboards have stopped reading by themselves.");
    });
    const costs = await Promise.race([watch(), stopped]);
    stop.abort();
    await stopped.catch(() => {});
    return costs;
  });
}

async function overview(address: string, sum: { calls: number; bytes: number }, signal: AbortSignal): Promise<void> {
  const read = async (path: string) => {
    const response = await fetch(`${address}${path}`, { signal });
    sum.bytes += (await response.arrayBuffer()).byteLength;
    sum.calls += 1;
  };
  let hasChanged = false;
  const follow = async () => {
    const stream = await fetch(`${address}/v1/events?positions=true`, { signal });
    for await (const _piece of stream.body ?? []) hasChanged = true;
  };
  const readEvery = async (everyMs: number, paths: () => readonly string[]) => {
    // People open their pages at any time.
    await pause(Math.random() * everyMs, undefined, { signal });
    for (;;) await Promise.all([pause(everyMs, undefined, { signal }), ...paths().map(read)]);
  };
  await Promise.all([
    follow(),
    readEvery(readAgainMs, () => {
      const paths = hasChanged ? afterChanges : [];
      hasChanged = false;
      return paths;
    }),
    ...Object.entries(byItself).map(([path, everyMs]) =>
      readEvery(everyMs, () => [path.includes("?") ? `${path}&since=${Date.now() - newestMs}` : path]),
    ),
  ]);
}

export interface PageCosts {
  /** Time in which the page's main thread was busy, by time. */
  readonly mainShare: number;
  readonly framesPerSecond: number;
  readonly longestFrameMs: number;
  /** After a collection, at the end. */
  readonly heapBytes: number;
  readonly callsPerSecond: number;
}

/**
 * One page in a real Chromium, without a graphics card, that asks for each frame.
 * @param executablePath of Chromium
 */
export async function measurePage(
  cluster: BenchCluster,
  executablePath: string,
  path: string,
  changesPerSecond: number,
): Promise<PageCosts> {
  return underLoad(cluster, changesPerSecond, async () => {
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      let calls = 0;
      page.on("request", (request) => {
        if (request.url().includes("/v1/")) calls += 1;
      });
      await page.goto(`${cluster.address}${path}`);
      await pause(settleMs);
      const session = await page.context().newCDPSession(page);
      await session.send("Performance.enable");
      const [callsBefore, busyBefore] = [calls, await metric(session, "TaskDuration")];
      const gaps = await page.evaluate(countFrames, spanMs);
      const busy = (await metric(session, "TaskDuration")) - busyBefore;
      const callsPerSecond = ((calls - callsBefore) * 1_000) / spanMs;
      await session.send("HeapProfiler.enable");
      await session.send("HeapProfiler.collectGarbage");
      return {
        mainShare: (busy * 1_000) / spanMs,
        framesPerSecond: (gaps.length * 1_000) / spanMs,
        longestFrameMs: Math.max(...gaps),
        heapBytes: await metric(session, "JSHeapUsedSize"),
        callsPerSecond,
      };
    } finally {
      await browser.close();
    }
  });
}

/** Runs in the page. @returns ms between each frame and the next one */
function countFrames(forMs: number): Promise<number[]> {
  const { requestAnimationFrame } = globalThis as unknown as {
    requestAnimationFrame: (draw: (at: number) => void) => number;
  };
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const gaps: number[] = [];
    let last = startedAt;
    const frame = (at: number) => {
      gaps.push(at - last);
      last = at;
      if (at - startedAt < forMs) requestAnimationFrame(frame);
      else resolve(gaps);
    };
    requestAnimationFrame(frame);
  });
}

async function metric(session: CDPSession, wanted: string): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === wanted)?.value ?? 0;
}

async function masterShare(cluster: BenchCluster): Promise<number> {
  const pid = cluster.pid("master");
  const [before, startedAt] = [cpuMs(pid), performance.now()];
  await pause(spanMs);
  return (cpuMs(pid) - before) / (performance.now() - startedAt);
}

/** Runs `measure` while tasks come and go. */
async function underLoad<Result>(
  cluster: BenchCluster,
  changesPerSecond: number,
  measure: () => Promise<Result>,
): Promise<Result> {
  const client = createClient({ masters: [cluster.address] });
  const count = Math.ceil((changesPerSecond / changesOfTask / 1_000) * batchMs);
  const task = { kind: "sleep", input: { seconds: taskSeconds } } as const;
  const over = new AbortController();
  const load = (async () => {
    while (!over.signal.aborted)
      await Promise.all([client.submitAll(Array.from({ length: count }, () => task)), pause(batchMs)]);
  })();
  try {
    await pause(settleMs);
    return await measure();
  } finally {
    over.abort();
    await load;
  }
}
