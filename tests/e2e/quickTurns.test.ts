/** Workers that are killed in quick turns beside a healthy network: each death is known for what it is, and none is waited out. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaults } from "../../src/model/limits.ts";
import { scene } from "./scene.ts";

const workers = ["worker-1", "worker-2", "worker-3", "worker-4"];
const rounds = 3;

test("no death of a worker is taken for a failure of the network, however many come in a row", () =>
  scene(
    ["master", ...workers],
    async (play) => {
      const tasks = workers.map((_, index) => `t${index}`);
      for (const id of tasks) await play.client.submit({ id, kind: "sleep", input: { seconds: 3600 } });
      for (const id of tasks) await play.started(id);
      for (let round = 0; round < rounds; round += 1) {
        for (const worker of workers) {
          await play.cluster.kill(worker);
          await play.cluster.start(worker);
        }
      }
      await play.until("all tasks to run again", async () => {
        const states = await Promise.all(tasks.map(async (id) => (await play.client.get(id)).state));
        return states.every((state) => state === "running");
      });
      const reasons: string[] = [];
      for (const id of tasks) {
        for await (const { error } of play.client.views.attempts(id))
          if (error !== undefined) reasons.push(error.message);
      }
      // Each task was lost at least once.
      expect(reasons.length).toBeGreaterThanOrEqual(workers.length);
      // One that dies before its first probe has come back is given the short grace of an abrupt end, never that of a silent network.
      const silences = reasons.flatMap((reason) => /nothing was heard of it for (\d+) ms/.exec(reason)?.[1] ?? []);
      expect(silences.filter((ms) => Number(ms) >= defaults.lostGraceMs)).toEqual([]);
      expect(readFileSync(play.cluster.logPath("master"), "utf8")).not.toContain("many workers lost their connections");
    },
    { capacity: 1 },
  ));
