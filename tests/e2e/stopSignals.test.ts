/** How a worker is told to stop: once, twice by one request, and with every process of its service at the same moment. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { processesRunning, processesWith } from "./processes.ts";
import { scene } from "./scene.ts";

describe("SIGTERM", () => {
  test("that arrives twice, from the launcher and for the whole group, is one request: the worker drains", () =>
    scene(["master", "worker-1"], async (play) => {
      await play.sleepTask("a", 2);
      await play.started("a");
      play.cluster.signal("worker-1", "SIGTERM");
      // Only once the first one has been taken: equal signals that wait together are one to the kernel.
      await play.until("the worker to take it", () =>
        readFileSync(play.cluster.logPath("worker-1"), "utf8").includes('"msg":"stopping"'),
      );
      play.cluster.signal("worker-1", "SIGTERM");
      expect(await play.success("a")).toMatchObject({ attempt: 1, kills: 0, failures: 0 });
      await play.until("the worker to be gone", () => !play.cluster.isUp("worker-1"));
      expect(play.cluster.lives.find(({ process }) => process === "worker-1")?.exit).toBe("exit code 0");
    }));

  test("to every process of a service at once counts no failure: the attempt runs again elsewhere", () =>
    scene(
      ["master", "worker-1"],
      async (play) => {
        const mark = `31.${process.pid}`;
        const ownMark = `32.${process.pid}`;
        // One ends by the signal itself, one with the code of a shell that was hit by it, one with a code of its own.
        const lines = [
          `exec sleep ${mark}`,
          `sleep ${mark}; exit $?`,
          `trap 'exit 3' TERM; sleep ${ownMark} & wait; exit 0`,
        ];
        for (const [index, line] of lines.entries()) {
          await play.client.submit({
            id: `t${index}`,
            kind: "exec",
            input: { command: [line], shell: true },
            attemptsMax: 1,
          });
          await play.started(`t${index}`);
        }
        // Each line has its own `sleep` by then, and what the line does before it has been done. The shells do not count.
        const running = () => [mark, ownMark].flatMap((each) => processesRunning(`sleep ${each}`)).length;
        await play.until("the commands to run", () => running() === lines.length);
        const hit = (text: string) => {
          for (const pid of processesWith(text)) if (pid !== process.pid) process.kill(pid, "SIGTERM");
        };
        // These commands first: that their end is due to SIGTERM can be seen, and the worker waits a moment for its own signal.
        hit(mark);
        play.cluster.signal("worker-1", "SIGTERM");
        // An end with a code of its own is known for what it is once the worker has had its signal.
        await play.until("the worker to take it", () =>
          readFileSync(play.cluster.logPath("worker-1"), "utf8").includes('"msg":"stopping"'),
        );
        hit(ownMark);
        await play.until("the worker to be gone", () => !play.cluster.isUp("worker-1"));
        for (const index of lines.keys()) {
          const task = await play.client.get(`t${index}`);
          expect(task).toMatchObject({ state: "killed", failures: 0 });
        }
      },
      { capacity: 3 },
    ));
});
