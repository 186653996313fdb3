/** The manifests of `deploy/kubernetes/` in a real cluster: rolled out, hit, updated, scaled, and judged at the end. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KubernetesCluster } from "../../scripts/kubernetes/cluster.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import { ackedIsKept } from "../../src/proof/checkers/ackedIsKept.ts";
import { assignedBeforeStart } from "../../src/proof/checkers/assignedBeforeStart.ts";
import { attemptNumbers } from "../../src/proof/checkers/attemptNumbers.ts";
import { problemsOf } from "../../src/proof/checkers/checker.ts";
import { legalTransitions } from "../../src/proof/checkers/legalTransitions.ts";
import { oneStart } from "../../src/proof/checkers/oneStart.ts";
import { oneSuccess } from "../../src/proof/checkers/oneSuccess.ts";
import { sleptInFull } from "../../src/proof/checkers/sleptInFull.ts";
import { until } from "../../src/proof/cluster/until.ts";
import { historyOf } from "../../src/proof/demo/history.ts";
import { readDocuments, readJournal } from "../../src/proof/demo/witness.ts";
import { imageOf } from "../deploy/testEngine.ts";
import { Load } from "./load.ts";
import { OutlastCluster, waitMsMax } from "./outlastCluster.ts";
import { writeOverlays } from "./overlay.ts";
import { PodLogs } from "./podLogs.ts";
import { printTableInTheEnd, promised } from "./promises.ts";
import { outputsOf, prepareWordCount, runWordCount } from "./wordCount.ts";

/** The kubelet writes these for the whole machine, which is not to notice. */
const settings = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"];
const readSettings = () => settings.map((name) => readFileSync(join("/proc/sys", name), "utf8"));

const settingsBefore = readSettings();
let kubernetes: KubernetesCluster;
let logs: PodLogs;
let outlast: OutlastCluster;
let hasFailed = true;

beforeAll(async () => {
  kubernetes = await KubernetesCluster.start((text) => process.stdout.write(`${text}\n`));
  await kubernetes.loadImages(
    ...(["mongodb", "master", "worker", "client"] as const).map((part) => `${imageOf(part)}:latest`),
  );
  logs = new PodLogs(kubernetes.podLogs, join(kubernetes.folder, "kept"));
  writeOverlays(kubernetes.folder);
  outlast = new OutlastCluster(kubernetes, kubernetes.folder);
});

afterAll(async () => {
  outlast?.close();
  logs?.stop();
  await kubernetes?.stop(hasFailed);
  if (hasFailed && kubernetes !== undefined)
    process.stdout.write(`The logs of all pods are in ${kubernetes.folder}/kept.\n`);
});

printTableInTheEnd();

/**
 * Ids of the tasks that were not a success in the first attempt that began, with what they were instead. A worker that leaves hands
 * back what reaches it then, before it has begun; that counts as nothing.
 */
function disturbed(tasks: readonly TaskDocument[]): string[] {
  return tasks
    .filter(
      ({ state, attempt, uncounted = 0, kills, failures }) =>
        state !== "success" || attempt - uncounted !== 1 || kills + failures > 0,
    )
    .map(({ id, state, attempt, error }) => `${id}: ${state} in attempt ${attempt} (${error?.message ?? "no error"})`);
}

test(
  "kubectl apply brings up MongoDB, three masters and three workers",
  promised(async () => {
    const startedAt = performance.now();
    await outlast.addVolume("store");
    await outlast.apply("cluster");
    await outlast.rolledOut("statefulset/mongodb", "deployment/master", "deployment/worker");
    await outlast.connect("outlast-entry");
    await outlast.settled("master", 3);
    await outlast.settled("worker", 3);
    const seconds = (performance.now() - startedAt) / 1000;
    const ids = await Promise.all(Array.from({ length: 12 }, () => outlast.submit(0.5)));
    expect(disturbed(await outlast.ended(ids))).toEqual([]);
    return `after ${seconds.toFixed(0)} s, and 12 tasks ran`;
  }),
);

test(
  "A leader's pod is deleted: a standby leads, and running tasks do not notice",
  promised(async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => outlast.submit(6)));
    for (const id of ids) await outlast.hostOf(id);
    const leader = await outlast.leader();
    const epoch = outlast.live.leader?.epoch ?? 0;
    await outlast.kubectl("delete", "pod", leader.name, "--wait=false");
    const next = await until("another master to lead", waitMsMax, () => {
      const { leader: now } = outlast.live;
      return now !== null && now.epoch > epoch ? now : null;
    });
    expect(new URL(next.address).hostname).not.toBe(leader.address);
    expect(disturbed(await outlast.ended(ids))).toEqual([]);
    await outlast.settled("master", 3);
    return `epoch ${epoch} to ${next.epoch}, ${ids.length} tasks ran on`;
  }),
);

test(
  "A worker's pod is deleted: it finishes its task first",
  promised(async () => {
    const id = await outlast.submit(10);
    const host = await outlast.hostOf(id);
    await outlast.kubectl("delete", "pod", host, "--wait=false");
    const [task] = await outlast.ended([id]);
    expect([task?.state, task?.attempt, task?.host]).toEqual(["success", 1, host]);
    await outlast.settled("worker", 3);
    return `${host} finished a task of 10 s`;
  }),
);

test(
  "A worker's pod is killed: its task runs again elsewhere, from scratch",
  promised(async () => {
    const id = await outlast.submit(15);
    const host = await outlast.hostOf(id);
    await outlast.kubectl("delete", "pod", host, "--force", "--grace-period=0");
    const [task] = await outlast.ended([id]);
    expect([task?.state, task?.attempt, task?.kills]).toEqual(["success", 2, 1]);
    expect(task?.host).not.toBe(host);
    await outlast.settled("worker", 3);
    return `from ${host} to ${task?.host}`;
  }),
);

test(
  "A rolling update of masters and workers under load loses nothing and disturbs no task",
  promised(async () => {
    for (const part of ["master", "worker"] as const)
      await kubernetes.tagImage(`${imageOf(part)}:latest`, `${imageOf(part)}:next`);
    const before = new Set(
      [...(await outlast.pods("master")), ...(await outlast.pods("worker"))].map(({ name }) => name),
    );
    const load = new Load(outlast);
    for (const part of ["master", "worker"] as const)
      await outlast.kubectl("set", "image", `deployment/${part}`, `${part}=${imageOf(part)}:next`);
    await outlast.rolledOut("deployment/master", "deployment/worker");
    await outlast.settled("master", 3);
    await outlast.settled("worker", 3);
    const tasks = await load.stop();
    expect(load.failures).toEqual([]);
    expect(tasks.length).toBeGreaterThan(50);
    expect(disturbed(tasks)).toEqual([]);
    const after = [...(await outlast.pods("master")), ...(await outlast.pods("worker"))].map(({ name }) => name);
    expect(after.filter((name) => before.has(name))).toEqual([]);
    return `${tasks.length} tasks, each begun once; slowest submit ${load.slowestMs.toFixed(0)} ms`;
  }),
);

test(
  "Workers are scaled up and take tasks; scaled down they finish theirs first",
  promised(async () => {
    const load = new Load(outlast);
    await outlast.kubectl("scale", "deployment/worker", "--replicas=6");
    const pods = await outlast.settled("worker", 6);
    await until("each worker to run a task", waitMsMax, async () => {
      const workers = await outlast.client.workers();
      return pods.every(({ name }) => workers.some(({ id, running }) => id === name && running > 0));
    });
    await outlast.kubectl("scale", "deployment/worker", "--replicas=3");
    await outlast.settled("worker", 3);
    const tasks = await load.stop();
    expect(load.failures).toEqual([]);
    expect(disturbed(tasks)).toEqual([]);
    const connected = (await outlast.client.workers()).filter(({ state }) => state === "connected");
    expect(connected).toHaveLength(3);
    return `3 to 6 to 3 pods, ${tasks.length} tasks, each begun once`;
  }),
);

test(
  "With faults on purpose, leaders and workers die again and again, and every task is success",
  promised(async () => {
    await outlast.apply("fail");
    await outlast.rolledOut("deployment/master", "deployment/worker");
    const load = new Load(outlast);
    const deaths = await until("masters and workers to have died", waitMsMax, async () => {
      const [masters, workers] = [await outlast.restarts("master"), await outlast.restarts("worker")];
      return masters >= 2 && workers >= 3 ? { masters, workers } : null;
    });
    // Back without faults, so that all ends.
    await outlast.apply("cluster");
    const tasks = await load.stop();
    await outlast.rolledOut("deployment/master", "deployment/worker");
    expect(load.failures).toEqual([]);
    expect(tasks.filter(({ state }) => state !== "success")).toEqual([]);
    const rerun = tasks.filter(({ attempt }) => attempt > 1).length;
    expect(rerun).toBeGreaterThan(0);
    return `${deaths.masters} deaths of leaders, ${deaths.workers} of workers, ${tasks.length} tasks, ${rerun} of them ran again`;
  }),
);

test(
  "Nothing was lost, committed twice, or started without an assignment",
  promised(async () => {
    const { client } = outlast;
    await outlast.settled("worker", 3);
    const journal = await readJournal(client);
    const evidence = {
      asked: [...outlast.asked].map(([id, seconds]) => ({ id, sleepMs: seconds * 1000, acknowledgedAt: Date.now() })),
      documents: await readDocuments(client),
      journal: journal.changes,
      markers: journal.markers,
      ledger: logs.ledger(),
      leaderFacts: [],
      lives: [],
      masters: new Map<string, string>(),
    };
    const checkers = [
      ackedIsKept,
      oneSuccess,
      legalTransitions,
      attemptNumbers,
      assignedBeforeStart,
      oneStart,
      sleptInFull,
    ];
    expect(problemsOf(checkers, historyOf(evidence))).toEqual([]);
    const successes = evidence.documents.filter(({ state }) => state === "success").length;
    expect(successes).toBe(outlast.asked.size);
    const starts = evidence.ledger.filter(({ kind }) => kind === "started").length;
    expect(starts).toBeGreaterThanOrEqual(successes);
    return `${successes} tasks, ${starts} attempts, ${journal.markers.length} leaders`;
  }),
);

test.for([
  { corpus: "25mb", maps: 20, reduces: 5, assigns: 10, starts: 10 },
  { corpus: "250mb", maps: 100, reduces: 20, assigns: 50, starts: 20 },
])("MapReduce counts the words of $corpus while leaders and workers die on purpose", (count, context) =>
  promised(async () => {
    if (count.corpus === "25mb") {
      await outlast.addVolume("shared", "ReadWriteMany");
      await prepareWordCount(outlast);
    }
    await outlast.apply("map-reduce-fail");
    // Not so soon that most of the time is the kubelet's wait before it starts a container again, which doubles each time.
    await outlast.kubectl("set", "env", "deployment/master", `OUTLAST_FAIL=after-assign:${count.assigns}`);
    await outlast.kubectl("set", "env", "deployment/worker", `OUTLAST_FAIL=after-start:${count.starts}`);
    await outlast.rolledOut("deployment/master", "deployment/worker");
    const epoch = outlast.live.leader?.epoch ?? 0;
    const startedAt = performance.now();
    await runWordCount(outlast, kubernetes.folder, count);
    const seconds = (performance.now() - startedAt) / 1000;
    const leaders = (outlast.live.leader?.epoch ?? 0) - epoch;
    const workers = await outlast.restarts("worker");
    await outlast.apply("map-reduce");
    await outlast.rolledOut("deployment/master", "deployment/worker");
    const { found, expected, parts } = await outputsOf(kubernetes.folder, count);
    expect(parts).toBe(count.reduces);
    expect(found.equals(expected)).toBe(true);
    expect(leaders).toBeGreaterThan(0);
    expect(workers).toBeGreaterThan(0);
    return `${seconds.toFixed(0)} s, ${leaders} other leaders, ${workers} deaths of workers, ${found.length} bytes as a plain count gives`;
  })(context),
);

test(
  "The masters' logs tell of take-overs, lost workers, and tasks that ran again",
  promised(async () => {
    const text = logs.textOf("master");
    const counts = ["leading", "a worker is lost and was given up", "their tasks run again"].map(
      (message) => text.split(message).length - 1,
    );
    for (const lines of counts) expect(lines).toBeGreaterThan(0);
    return `${counts[0]}, ${counts[1]} and ${counts[2]} lines`;
  }),
);

test(
  "One master with SQLite on a volume comes up, and knows everything after its pod was deleted",
  promised(async () => {
    outlast.close();
    await outlast.kubectl("delete", "namespace", "outlast", `--timeout=${waitMsMax / 1000}s`);
    const single = new OutlastCluster(kubernetes, kubernetes.folder);
    await single.addVolume("data");
    await single.apply("single");
    await single.rolledOut("statefulset/master", "deployment/worker");
    await single.kubectl("patch", "service", "outlast", "--patch", '{"spec":{"type":"NodePort"}}');
    await single.connect("outlast");
    const id = await single.submit(5);
    const host = await single.hostOf(id);
    await single.kubectl("delete", "pod", "master-0");
    await single.rolledOut("statefulset/master");
    const [task] = await single.ended([id]);
    single.close();
    expect([task?.state, task?.attempt, task?.host]).toEqual(["success", 1, host]);
    return "a task ran on while its master was away";
  }),
);

test(
  "The settings of this machine's kernel are what they were",
  promised(async () => {
    expect(readSettings()).toEqual(settingsBefore);
    hasFailed = false;
    return `${settings.length} settings of the kubelet`;
  }),
);
