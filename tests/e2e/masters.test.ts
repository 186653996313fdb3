/** Several masters with real processes: the leader is killed, stopped and cut off, and nothing that runs takes notice. */
import { describe, expect, test } from "vitest";
import { defaults } from "../../src/model/limits.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import { createClient } from "../../src/sdk/client.ts";
import type { MasterReport } from "../../src/sdk/masterReport.ts";
import { type Scene, scene } from "./scene.ts";

/** Whom a master takes for the leader, asked directly; null if it does not answer at once. */
async function statusOf(play: Scene, master: string): Promise<MasterReport | null> {
  try {
    const response = await fetch(`${play.cluster.addressOf(master)}/v1/status`, { signal: AbortSignal.timeout(500) });
    return response.ok ? ((await response.json()) as MasterReport) : null;
  } catch {
    return null;
  }
}

/** The first one has led since before the others came, so that nobody stands against anybody at the beginning. */
async function startAll(play: Scene, ...others: readonly string[]): Promise<void> {
  await Promise.all(others.map((process) => play.cluster.start(process)));
  expect(await statusOf(play, "m1")).toMatchObject({ role: "leader", epoch: 1 });
}

/** The name of the master that leads this epoch or a later one. */
function leaderFrom(play: Scene, epoch: number, among: readonly string[]): Promise<string> {
  return play.until(`somebody to lead epoch ${epoch}`, async () => {
    for (const master of among) {
      const status = await statusOf(play, master);
      if (status !== null && status.role === "leader" && status.epoch >= epoch) return master;
    }
    return null;
  });
}

describe("the leader is killed", () => {
  test("a standby leads in a fraction of the lease, and running tasks are not touched", () =>
    scene(
      ["m1"],
      async (play) => {
        await startAll(play, "m2", "m3", "worker-1", "worker-2");
        await play.sleepTask("a", 3);
        await play.sleepTask("b", 3);
        await Promise.all([play.started("a"), play.started("b")]);
        await play.cluster.kill("m1");
        const killedAt = play.cluster.lives.find((life) => life.process === "m1")!.endedAt!;
        const second = await leaderFrom(play, 2, ["m2", "m3"]);

        await play.sleepTask("c", 0.1);
        for (const task of ["a", "b", "c"]) {
          expect(await play.success(task)).toMatchObject({ attempt: 1, kills: 0 });
          expect(play.starts(task)).toHaveLength(1);
        }
        const marker = await markerOf(play, 2);
        // The lease alone would have taken this long to run out.
        expect(marker.at - killedAt).toBeLessThan(defaults.leaseTtlMs * 0.75);
        expect(marker.address).toBe(play.cluster.addressOf(second));

        // And again, down to the last one.
        await play.cluster.kill(second);
        await leaderFrom(play, 3, [second === "m2" ? "m3" : "m2"]);
        await play.sleepTask("d", 0.1);
        await play.success("d");
        await play.cluster.start("m1");
        expect(await play.broken()).toEqual([]);
      },
      { masters: ["m1", "m2", "m3"] },
    ));

  test("and a worker with it: the next leader knows that it is dead without waiting for its silence", () =>
    scene(
      ["m1"],
      async (play) => {
        await startAll(play, "m2", "worker-1", "worker-2");
        await play.sleepTask("a", 4);
        const { process: worker } = await play.started("a");
        // Long enough for the standby to have knocked at both workers.
        await play.sleepTask("b", (2 * defaults.workerProbeMs) / 1000);
        await play.success("b");
        await Promise.all([play.cluster.kill("m1"), play.cluster.kill(worker)]);
        const again = await play.until(
          "a to run again",
          () => play.starts("a").find(({ attempt }) => attempt === 2),
          defaults.failoverGraceMs / 2,
        );
        expect(again.process).not.toBe(worker);
        expect(await play.success("a")).toMatchObject({ attempt: 2, kills: 1, failures: 0 });
        expect(await play.broken()).toEqual([]);
      },
      { masters: ["m1", "m2"] },
    ));

  test("in good order, it resigns, and nobody waits for a lease", () =>
    scene(
      ["m1"],
      async (play) => {
        await startAll(play, "m2", "worker-1");
        await play.sleepTask("a", 2);
        await play.started("a");
        const stoppedAt = Date.now();
        await play.cluster.stop("m1");
        await leaderFrom(play, 2, ["m2"]);
        expect((await markerOf(play, 2)).at - stoppedAt).toBeLessThan(defaults.leaseTtlMs * 0.75);
        expect(await play.success("a")).toMatchObject({ attempt: 1, kills: 0 });
        expect(await play.broken()).toEqual([]);
      },
      { masters: ["m1", "m2"] },
    ));
});

describe("a standby", () => {
  test("takes tasks for the leader, and tells how they went", () =>
    scene(
      ["m1"],
      async (play) => {
        await startAll(play, "m2", "worker-1");
        const client = createClient({ masters: play.cluster.addressOf("m2") });
        const { id } = await client.submit({
          kind: "exec",
          input: { command: ["echo", "hello over the standby"] },
        });
        expect(await client.wait(id)).toMatchObject({ state: "success", host: "worker-1" });
        let text = "";
        for await (const item of client.logs(id)) if (item.kind === "log") text += Buffer.from(item.bytes).toString();
        expect(text).toBe("hello over the standby\n");
        expect(await client.workers()).toMatchObject([{ id: "worker-1", state: "connected" }]);
        expect((await client.masters()).map(({ name, role }) => [name, role])).toEqual([
          ["m1", "leader"],
          ["m2", "standby"],
        ]);
      },
      { masters: ["m1", "m2"] },
    ));

  test("relays a worker that cannot reach the leader, and keeps it when it leads itself", () => {
    const environment = {
      NODE_OPTIONS: `--import=${new URL("./blockedPort.ts", import.meta.url).href}`,
      BLOCKED_PORT: "",
    };
    return scene(
      ["m1"],
      async (play) => {
        environment.BLOCKED_PORT = String(play.cluster.portOf("m1"));
        await startAll(play, "m2", "worker-1");
        await play.sleepTask("a", 0.1);
        await play.success("a");
        const metrics = await (await fetch(`${play.cluster.addressOf("m2")}/metrics`)).text();
        expect(metrics).toMatch(/^outlast_relays [1-9]/m);

        await play.sleepTask("b", 3);
        await play.started("b");
        await play.cluster.kill("m1");
        await leaderFrom(play, 2, ["m2"]);
        expect(await play.success("b")).toMatchObject({ attempt: 1, kills: 0 });
        expect(await play.broken()).toEqual([]);
      },
      { masters: ["m1", "m2"], environment },
    );
  });
});

describe("the leader stands still for longer than its lease lasts", () => {
  test("it is deposed when it goes on, and nothing that it was asked or had decided takes effect", () =>
    scene(
      ["m1"],
      async (play) => {
        await startAll(play, "m2", "worker-1", "worker-2");
        await play.sleepTask("a", 6);
        await play.started("a");
        let told: TaskDocument | null = null;
        const waiting = play.client.wait("a").then((task) => (told = task));
        play.pauseBetweenWrites("m1");
        // Its kernel still takes connections: this waits in there until it goes on.
        const late = fetch(`${play.cluster.addressOf("m1")}/v1/tasks`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-outlast-relayed": "1" },
          body: JSON.stringify({ id: "late", kind: "sleep", input: { seconds: 0 } }),
        });
        await leaderFrom(play, 2, ["m2"]);
        await play.sleepTask("b", 0.1);
        await play.success("b");
        // Begun at the leader that stands still, and told by the next one.
        await play.until("a wait to be told", () => told);
        expect(await waiting).toMatchObject({ state: "success", attempt: 1 });

        play.cluster.signal("m1", "SIGCONT");
        const answer = await late;
        expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: "not-leader" } }]);
        await play.until("the old leader to follow the new one", async () => {
          const status = await statusOf(play, "m1");
          return status?.role === "standby" && status.epoch === 2 && status.leader === play.cluster.addressOf("m2");
        });
        await expect(play.client.get("late", { consistent: true })).rejects.toMatchObject({ code: "not-found" });
        expect(await play.success("a")).toMatchObject({ attempt: 1, kills: 0 });
        expect(play.starts("a")).toHaveLength(1);
        expect(await play.broken()).toEqual([]);
      },
      { masters: ["m1", "m2"] },
    ));
});

async function markerOf(play: Scene, epoch: number): Promise<{ at: number; address: string }> {
  const ending = new AbortController();
  for await (const event of play.client.events({ after: 0, signal: ending.signal })) {
    if (event.kind === "leader" && event.epoch === epoch) return event;
  }
  throw new Error(`The journal has no marker of epoch ${epoch}.`);
}
