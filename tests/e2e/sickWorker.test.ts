/** Workers on machines that are not well: what is the machine's fault is never the task's, and the worker says what is wrong. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
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
      // It says so for as long as it pauses, and is given nothing more once all have ended.
      const said = play.until("worker-1 to say what is wrong", async () => {
        const sick = (await play.client.workers()).find(({ id }) => id === "worker-1");
        return sick?.trouble?.includes(`The working directory "${home}" does not exist`) === true;
      });
      for (const id of ids) {
        await play.client.submit({ id, kind: "exec", input: { command: ["true"] }, attemptsMax: 1, killsMax: 0 });
      }
      for (const id of ids) expect(await play.success(id)).toMatchObject({ failures: 0, kills: 0, host: "worker-2" });
      await said;
    },
    {
      network: {
        addressOf: () => defaults.address,
        launcherOf: (process) => (process === "worker-1" ? inHome : []),
      },
    },
  );
});

test("a worker whose disk hangs goes on with its heartbeats, and finishes what it runs", () =>
  scene(
    ["master"],
    async (play) => {
      // Nobody ever writes into it: whoever opens it to read waits for ever, as on a disk that hangs.
      const logs = join(play.cluster.workerData("worker-1"), "logs");
      mkdirSync(logs, { recursive: true });
      execFileSync("sh", ["-c", 'mkfifo "$0"', join(logs, "hangs")]);
      await play.cluster.start("worker-1");
      const command = ["echo begins; sleep 5; echo ends"];
      await play.client.submit({ id: "a", kind: "exec", input: { command, shell: true } });
      expect(await play.success("a")).toMatchObject({ attempt: 1, kills: 0 });
      const [worker] = await play.client.workers();
      expect(worker?.state).toBe("connected");
      expect(Date.now() - (worker?.heardAt ?? 0)).toBeLessThan(defaults.suspectMs);
      // Nor does it hang at its end.
      play.cluster.signal("worker-1", "SIGTERM");
      await play.until("the worker to be gone", () => !play.cluster.isUp("worker-1"));
    },
    { workerArguments: ["--drain-timeout", "1s"] },
  ));
