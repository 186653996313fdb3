/** Workers on machines that are not well: what is the machine's fault is never the task's, and the worker says what is wrong. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaults } from "../../src/model/limits.ts";
import { scene } from "./scene.ts";

test("a worker whose directory is gone uses up no attempt of any task, steps aside, and says why", async () => {
  const home = mkdtempSync(join(tmpdir(), "outlast-home-"));
  const inHome = ["sh", "-c", 'cd "$0" && exec "$@"', home];
  await scene(
    ["master", "worker-1", "worker-2"],
    async (play) => {
      rmSync(home, { recursive: true });
      const ids = Array.from({ length: 30 }, (_, index) => `t${index}`);
      for (const id of ids) {
        await play.client.submit({ id, kind: "exec", input: { command: ["true"] }, attemptsMax: 1, killsMax: 0 });
      }
      for (const id of ids) expect(await play.success(id)).toMatchObject({ failures: 0, kills: 0, host: "worker-2" });
      const sick = (await play.client.workers()).find(({ id }) => id === "worker-1");
      expect(sick?.trouble).toContain(`The working directory "${home}" does not exist`);
    },
    {
      network: {
        addressOf: () => defaults.address,
        launcherOf: (process) => (process === "worker-1" ? inHome : []),
      },
    },
  );
});
