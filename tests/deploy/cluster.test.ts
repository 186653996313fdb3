/** Whole clusters in containers: the demonstration with its judges, dead and vanished masters, cut networks. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../src/proof/cluster/until.ts";
import type { Check } from "../../src/proof/demo/check.ts";
import { createClient } from "../../src/sdk/client.ts";
import { findEngine, testEnvironment } from "./testEngine.ts";

const engine = findEngine();
const waitMsMax = 60_000;
const entryPort = 17_080;

describe("the demonstration", () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-deploy-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs a script of `deploy/` to its end. */
  function play(name: string, ...words: readonly string[]): Promise<{ isClean: boolean; checks: Check[] }> {
    const options = { env: { ...process.env, ...testEnvironment }, maxBuffer: 64 * 1024 * 1024 };
    return new Promise((resolve, reject) => {
      execFile(join("deploy", name), [...words, "--json"], options, (error, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout) as { isClean: boolean; checks: Check[] });
        } catch {
          reject(new Error(`deploy/${name} printed no report: ${error?.message}\n${stdout}\n${stderr}`));
        }
      });
    });
  }

  test("deploy/run with two masters keeps every promise, in MongoDB and out of the workers' reach", async () => {
    const directory = join(folder, "run");
    const { isClean, checks } = await play(
      "run",
      "--masters",
      "2",
      "--tasks",
      "100",
      "--seed",
      "1",
      "--dir",
      directory,
    );
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
    expect(isClean).toBe(true);
    const apart = checks.find(({ id }) => id === "store-apart");
    expect(apart?.cases).toBe(3);

    expect(readdirSync(join(directory, "logs")).sort()).toEqual(
      ["master-1.log", "master-2.log", "mongodb.log", "worker-1.log", "worker-2.log", "worker-3.log"].sort(),
    );
    expect(readFileSync(join(directory, "combined.log"), "utf8")).toContain("attempt started");
    const lines = readFileSync(join(directory, "tasks.txt"), "utf8").trim().split("\n");
    const tasks = lines.map(
      (line) => JSON.parse(line) as { taskname: string; sleeptime: number; state: string; host: string },
    );
    // A task is added that runs across the leader's death.
    expect(tasks.length).toBeGreaterThan(100);
    for (const { taskname, sleeptime, state, host } of tasks) {
      expect(taskname).toMatch(/^(task|long)-\d+$/);
      expect(sleeptime).toBeGreaterThan(0);
      expect(state).toBe("success");
      expect(host).toMatch(/^worker-/);
    }
  });

  test("deploy/run-stress keeps every promise under random faults", async () => {
    const directory = join(folder, "stress");
    const words = ["--tasks", "40", "--max-sleep", "2s", "--seed", "3", "--dir", directory];
    const { checks } = await play("run-stress", ...words);
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });
});

describe("a cluster of three masters", () => {
  const masters = ["master-1", "master-2", "master-3"];
  const ports = new Map(masters.map((name, index) => [name, 17_071 + index]));
  const client = createClient({
    masters: [...ports.values()].map((port) => `http://127.0.0.1:${port}`),
    token: testEnvironment["OUTLAST_TOKEN"] ?? null,
    retryForMs: waitMsMax,
  });

  beforeAll(async () => {
    await engine.script("remove");
    await engine.script("start-mongodb");
    await until("the store to answer", waitMsMax, async () => (await engine.inside("mongodb", "ready")).code === 0);
    for (const [name, port] of ports) await engine.script("start-master", "--name", name, "--publish", String(port));
    for (const name of ["worker-1", "worker-2"])
      await engine.script("start-worker", "--name", name, "--masters", masters.join(","));
    await until(
      "both workers to attach",
      waitMsMax,
      async () => (await client.workers()).filter(({ state }) => state === "connected").length === 2,
    );
  }, 3 * waitMsMax);

  afterAll(async () => {
    await engine.script("remove");
  });

  /** Who leads by what a container in the cluster is told. */
  async function listMasters(
    from: string,
  ): Promise<{ leader: string | null; epoch: number; ms: number; text: string }> {
    const startedAt = performance.now();
    const { code, stdout, stderr } = await engine.inside(from, "outlast", "masters", "--json");
    const ms = performance.now() - startedAt;
    if (code !== 0) throw new Error(stderr);
    const { masters: states } = JSON.parse(stdout) as { masters: { name: string; role: string; epoch: number }[] };
    const leader = states.find(({ role }) => role === "leader");
    return { leader: leader?.name ?? null, epoch: leader?.epoch ?? 0, ms, text: stdout };
  }

  test("no worker gets an address that a master, the entry or MongoDB may ask for", async () => {
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    for (const name of ["worker-1", "worker-2"]) {
      const address = (await engine.run("inspect", "--format", format, engine.nameOf(name))).trim();
      expect(Number(address.split(".").at(-1))).toBeGreaterThan(128);
    }
  });

  test("a leader whose container is killed is replaced within 1.5 s, although its address answers nothing", async () => {
    const before = await listMasters("worker-1");
    const dead = before.leader ?? "";
    const [waits, { id }] = [[] as number[], await client.submit({ kind: "sleep", input: { seconds: 4 } })];
    await until("the task to run", waitMsMax, async () => (await client.get(id)).state === "running");
    await engine.run("kill", "--signal", "SIGKILL", engine.nameOf(dead));
    const diedAt = Date.parse(
      JSON.parse(await engine.run("inspect", "--format", "{{json .State.FinishedAt}}", engine.nameOf(dead))) as string,
    );
    const next = await until("another master to lead", waitMsMax, async () => {
      for await (const event of client.events({ after: 0 })) {
        if (event.kind === "leader" && event.epoch > before.epoch) return event;
      }
      return null;
    });
    waits.push(next.at - diedAt);
    expect(Math.max(...waits)).toBeLessThan(1_500);

    const listed = await listMasters("worker-1");
    expect(listed.leader).not.toBeNull();
    expect(listed.leader).not.toBe(dead);
    const task = await client.wait(id);
    expect([task.state, task.attempt]).toEqual(["success", 1]);
    await engine.script("start-master", "--name", dead);
  });

  test("a client in a container needs one address only, whichever masters are alive", async () => {
    await engine.script("start-entry", "--publish", String(entryPort));
    const headers = { authorization: `Bearer ${testEnvironment["OUTLAST_TOKEN"]}` };
    const askOne = async () => {
      const answer = await fetch(`http://127.0.0.1:${entryPort}/v1/status`, { headers }).catch(() => null);
      return answer?.ok === true ? ((await answer.json()) as { name: string }).name : null;
    };
    const seen = new Set<string | null>();
    await until("each master to have answered behind the entry", waitMsMax, async () => {
      seen.add(await askOne());
      return masters.every((name) => seen.has(name));
    });
    const submit = async () => {
      const task = await client.get((await engine.script("client", "submit", "sleep", "0.1", "--wait")).trim());
      return [task.state, task.attempt];
    };
    expect(await submit()).toEqual(["success", 1]);

    const { leader } = await listMasters("worker-1");
    await engine.run("kill", "--signal", "SIGKILL", engine.nameOf(leader ?? ""));
    expect(await submit()).toEqual(["success", 1]);
    const command = ["exec", "--wait", "--attempts-max", "1", "--", "sh", "-c", "exit 3"];
    await expect(engine.script("client", "submit", ...command)).rejects.toThrow("deploy/client failed");
    await engine.script("start-master", "--name", leader ?? "");
  });

  test("a worker that is cut off loses its tasks to another, and does not bring back what was given up", async () => {
    const { id } = await client.submit({ kind: "sleep", input: { seconds: 8 }, name: "cut" });
    const { host } = await until("the task to run", waitMsMax, async () => {
      const task = await client.get(id);
      return task.state === "running" && task.host !== undefined ? task : null;
    });
    const name = engine.nameOf(host ?? "");
    const network = `${engine.prefix}-work`;
    await engine.run("network", "disconnect", network, name);
    const task = await client.wait(id);
    expect(task.state).toBe("success");
    expect(task.host).not.toBe(host);
    await engine.run("network", "connect", network, name);
    await until("the worker to be back, with nothing running", waitMsMax, async () => {
      const worker = (await client.workers()).find(({ id: other }) => other === host);
      return worker?.state === "connected" && worker.running === 0;
    });
    expect((await client.get(id)).attempt).toBe(task.attempt);
  });

  test("a master that is cut off from the store stops leading, and all goes on", async () => {
    const { leader } = await listMasters("worker-1");
    const network = `${engine.prefix}-store`;
    await engine.run("network", "disconnect", network, engine.nameOf(leader ?? ""));
    const next = await until("another master to lead", waitMsMax, async () => {
      const listed = await listMasters("worker-1");
      return listed.leader !== null && listed.leader !== leader ? listed.leader : null;
    });
    expect(next).not.toBe(leader);
    const { id } = await client.submit({ kind: "sleep", input: { seconds: 0.1 } });
    expect((await client.wait(id)).state).toBe("success");
    // It comes back as a standby; its container is made anew, as an orchestrator would do.
    await engine.run("rm", "--force", engine.nameOf(leader ?? ""));
    await engine.script("start-master", "--name", leader ?? "", "--publish", String(ports.get(leader ?? "")));
  });
});
