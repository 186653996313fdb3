/** The six fault cases of the main job, with real processes and SIGKILL, judged by the workers' ledger and the store. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { decodeRecords } from "../../src/worker/outbox/outboxFile.ts";
import { type Scene, scene } from "./scene.ts";

/** Long enough to outlast a restart also on a busy machine, short enough to be waited for. */
const longSeconds = 5;

describe("the master dies", () => {
  test("the worker goes on, keeps its result on disk, and hands it to the restarted master; nothing is rerun", () =>
    scene(["master", "worker-1"], async (play) => {
      await play.sleepTask("a", 1);
      await play.started("a");
      await play.cluster.kill("master");
      await play.ended("a");
      await play.until("the result to be on the worker's disk", () => isOnDisk(play, "worker-1", "a"));

      await play.cluster.start("master");
      const document = await play.success("a");
      expect(document).toMatchObject({ attempt: 1, kills: 0, host: "worker-1" });
      expect(play.starts("a")).toHaveLength(1);
      await play.until("the worker to forget the result", () => !isOnDisk(play, "worker-1", "a"));
      expect(await play.broken()).toEqual([]);
    }));

  test("a task that is still running when the master is back is left alone", () =>
    scene(["master", "worker-1"], async (play) => {
      await play.sleepTask("a", longSeconds);
      await play.started("a");
      await play.cluster.kill("master");
      await play.cluster.start("master");
      expect(await play.success("a")).toMatchObject({ attempt: 1, kills: 0 });
      expect(play.starts("a")).toHaveLength(1);
      expect(await play.broken()).toEqual([]);
    }));
});

describe("a worker dies", () => {
  test("its task runs again from scratch on another one", () =>
    scene(["master", "worker-1", "worker-2"], async (play) => {
      await play.sleepTask("a", 1.5);
      const { process: host } = await play.started("a");
      await play.cluster.kill(host);
      const other = host === "worker-1" ? "worker-2" : "worker-1";
      expect((await play.started("a", 2)).process).toBe(other);
      expect(await play.success("a")).toMatchObject({ attempt: 2, kills: 1, failures: 0, host: other });
      expect(await play.broken()).toEqual([]);
    }));

  test("and is back before anyone noticed: its old attempts are killed at once", () =>
    scene(["master", "worker-1"], async (play) => {
      await play.sleepTask("a", longSeconds);
      const first = await play.started("a");
      // The master cannot notice anything while it is stopped; when it goes on, the death and the new life are there together.
      play.cluster.signal("master", "SIGSTOP");
      await play.cluster.kill("worker-1");
      play.cluster.launch("worker-1");
      await play.until("the new life to speak", () =>
        readFileSync(play.cluster.logPath("worker-1"), "utf8").includes(newestPid(play)),
      );
      const continuedAt = Date.now();
      play.cluster.signal("master", "SIGCONT");

      const second = await play.started("a", 2);
      expect(second.boot).not.toBe(first.boot);
      const killed = (await play.journal()).find((change) => change.task === "a" && change.kills === 1);
      // No grace was waited for: neither that of a cut connection after a stall nor that of silence.
      expect(killed!.at - continuedAt).toBeLessThan(3000);
      expect(await play.success("a")).toMatchObject({ attempt: 2, kills: 1 });
      expect(await play.broken()).toEqual([]);
    }));

  test("with the last task, when all others are done", () =>
    scene(["master", "worker-1", "worker-2"], async (play) => {
      for (const id of ["a", "b", "c"]) await play.sleepTask(id, 0.1);
      for (const id of ["a", "b", "c"]) await play.success(id);
      await play.sleepTask("last", 1.5);
      const { process: host } = await play.started("last");
      await play.cluster.kill(host);
      expect(await play.success("last")).toMatchObject({ attempt: 2, kills: 1 });
      expect(await play.broken()).toEqual([]);
    }));
});

describe("the master dies, and the worker completes and dies before it is back", () => {
  test("the worker stays away: the task runs again elsewhere", () =>
    scene(["master", "worker-1"], async (play) => {
      await endBothOnDisk(play);
      play.cluster.launch("worker-2");
      await play.cluster.start("master");
      expect((await play.started("a", 2)).process).toBe("worker-2");
      expect(await play.success("a")).toMatchObject({ attempt: 2, kills: 1, host: "worker-2" });

      // The first worker comes back at last, with a result that has been overtaken: it is told so and forgets it.
      await play.cluster.start("worker-1");
      await play.until("the overtaken result to be forgotten", () => !isOnDisk(play, "worker-1", "a"));
      expect(await play.client.get("a")).toMatchObject({ state: "success", attempt: 2, host: "worker-2" });
      expect(await play.broken()).toEqual([]);
    }));

  test("the worker comes back with its results on disk: they count, and nothing is rerun", () =>
    scene(["master", "worker-1"], async (play) => {
      await endBothOnDisk(play);
      await play.cluster.start("master");
      await play.cluster.start("worker-1");
      expect(await play.success("a")).toMatchObject({ attempt: 1, kills: 0, host: "worker-1" });
      expect(play.starts("a")).toHaveLength(1);
      expect(await play.broken()).toEqual([]);
    }));
});

describe("the master dies between deciding an assignment and committing it", () => {
  test("the task runs once: it is neither lost nor doubled", () =>
    scene(["master", "worker-1"], async (play) => {
      await play.sleepTask("before", 1);
      await play.sleepTask("a", 0.5);
      await play.started("before");
      // The test holds SQLite's only write lock: what the master decides from now on it cannot commit.
      const lock = new DatabaseSync(join(play.cluster.masterData, "outlast.db"));
      lock.exec("BEGIN IMMEDIATE");
      await play.ended("before");
      await play.until(
        "the master to be stuck in a commit",
        async () => (await play.client.status()).trouble !== null,
        60_000,
      );
      expect(play.starts("a")).toEqual([]);
      await play.cluster.kill("master");
      lock.exec("ROLLBACK");
      lock.close();
      expect(play.starts("a")).toEqual([]);

      await play.cluster.start("master");
      expect(await play.success("before")).toMatchObject({ attempt: 1, kills: 0 });
      expect(await play.success("a")).toMatchObject({ attempt: 1, kills: 0 });
      expect(play.starts("a")).toHaveLength(1);
      expect(await play.broken()).toEqual([]);
    }));
});

/** The master dies, then the worker's task ends and is on its disk, then the worker dies. */
async function endBothOnDisk(play: Scene): Promise<void> {
  await play.sleepTask("a", 1);
  await play.started("a");
  await play.cluster.kill("master");
  await play.ended("a");
  await play.until("the result to be on the worker's disk", () => isOnDisk(play, "worker-1", "a"));
  await play.cluster.kill("worker-1");
}

/** True if the outbox in the worker's folder holds a result of the task that no master has settled yet. */
function isOnDisk(play: Scene, worker: string, task: string): boolean {
  const { records } = decodeRecords(readFileSync(join(play.cluster.workerData(worker), "outbox", "results")));
  let isThere = false;
  for (const record of records) {
    const attempts = record.kind === "put" ? record.results : record.attempts;
    if (attempts.some((attempt) => attempt.task === task)) isThere = record.kind === "put";
  }
  return isThere;
}

function newestPid(play: Scene): string {
  return `"pid":${play.cluster.pid("worker-1")},`;
}
