/** Nothing that a task started outlives its worker, however the worker dies. */
import { describe, expect, test } from "vitest";
import { processesRunning, processesWith } from "./processes.ts";
import { scene } from "./scene.ts";

describe.skipIf(process.platform !== "linux")("processes of a task", () => {
  test("are gone when their worker is killed, children and grandchildren too", () =>
    scene(["master", "worker-1"], async (play) => {
      // A number of seconds that no other process on the machine sleeps for.
      const seconds = `86400.${process.pid}${Date.now() % 1_000_000}`;
      const command = ["/bin/sh", "-c", `sleep ${seconds} & (trap '' TERM; sleep ${seconds}) & exec sleep ${seconds}`];
      await play.client.submit({ id: "a", kind: "exec", input: { command } });
      await play.started("a");
      await play.until("all three to sleep", () => processesRunning(`sleep ${seconds}`).length === 3);
      await play.cluster.kill("worker-1");
      await play.until("all of them to be gone", () => processesWith(`sleep ${seconds}`).length === 0);

      // Its next life must not find them either, and gives the task a fresh start.
      await play.cluster.start("worker-1");
      await play.started("a", 2);
      await play.client.cancel("a");
      await play.until(
        "the cancelled task's processes to be gone",
        () => processesWith(`sleep ${seconds}`).length === 0,
      );
      expect(await play.client.get("a")).toMatchObject({ state: "cancelled", kills: 1 });
    }));
});
