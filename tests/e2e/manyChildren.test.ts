/** A parent that makes thousands of children by a generator, while the leader and its worker are killed in the middle of that. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { scene } from "./scene.ts";
import { many } from "./tasks/many.ts";

const file = fileURLToPath(new URL("./tasks/many.ts", import.meta.url));
const options = { workerArguments: ["--tasks", file, "--queues", "default,held"], capacity: 100 };
const count = 20_000;
const waitMsMax = 120_000;

test("each index has exactly one child, whoever died while they were made, and other tasks start meanwhile", () =>
  scene(
    ["master", "worker-1", "worker-2"],
    async (play) => {
      const { client, cluster } = play;
      await client.pause("held");
      const task = await many.submit(client, { count, queue: "held" }, { id: "many" });
      const made = async () => (await client.get("many")).family?.children ?? 0;
      const untilMade = (share: number) =>
        play.until(`${share * count} children`, async () => (await made()) >= share * count, waitMsMax);

      await untilMade(0.2);
      await cluster.kill("master");
      await cluster.start("master");
      await untilMade(0.5);
      // It has not made all of them: its attempt runs on.
      const { state, host = "" } = await client.get("many", { consistent: true });
      expect(state).toBe("running");
      await cluster.kill(host);
      await cluster.start(host);
      const other = await client.submit({ kind: "sleep", input: { seconds: 0 } });
      expect((await client.wait(other.id)).state).toBe("success");
      await untilMade(1);

      await client.resume("held");
      expect(await task.result()).toEqual({ total: count, succeeded: count, seen: count });
      const parent = await client.get("many");
      expect(parent).toMatchObject({
        kills: 1,
        failures: 0,
        childCounts: { success: count },
        family: { children: count },
      });
      const names = new Set<string>();
      let children = 0;
      for await (const { name } of client.iterate({ parent: "many", order: "oldest" })) {
        names.add(name);
        children += 1;
      }
      expect([children, names.size]).toEqual([count, count]);
      expect(names).toEqual(new Set(Array.from({ length: count }, (_, index) => `child ${index}`)));
    },
    options,
  ));
