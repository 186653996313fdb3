/** Handlers on a real cluster: what their workers and masters die of costs them nothing but the step that was under way. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Scene, scene } from "./scene.ts";
import { forever, parent, resumable } from "./tasks/resumable.ts";

const file = fileURLToPath(new URL("./tasks/resumable.ts", import.meta.url));
const options = { workerArguments: ["--tasks", file] };

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

function placesIn(play: Scene) {
  return { ledger: join(play.directory, "ledger"), gate: join(play.directory, "gate") };
}

describe("a handler with steps", () => {
  test("resumes behind its last step when its worker is killed, and says so", () =>
    scene(
      ["master", "worker-1", "worker-2"],
      async (play) => {
        const places = placesIn(play);
        const task = await resumable.submit(play.client, places, { id: "r" });
        const { process } = await play.started("r");
        await play.until("step c to begin", () => linesOf(places.ledger).includes("c begins 1"));
        await play.cluster.kill(process);
        await play.until("step c to begin again", () => linesOf(places.ledger).includes("c begins 2"));
        writeFileSync(places.gate, "");
        expect(await task.result()).toBe(2);
        expect(linesOf(places.ledger)).toEqual(["a 1", "b 1", "c begins 1", "c begins 2", "c 2"]);
        expect(await play.client.get("r")).toMatchObject({ attempt: 2, kills: 1, failures: 0 });
        expect(await play.logOf("r")).toContain("resumes with 2 remembered: a, b");
        const steps = await Array.fromAsync(play.client.views.steps("r"));
        expect(steps.map(({ key }) => key)).toEqual(["a", "b", "c"]);
        const attempts = await Array.fromAsync(play.client.views.attempts("r"));
        expect(attempts).toMatchObject([
          { attempt: 1, outcome: "killed", worker: process, error: { code: "worker-lost" } },
          { attempt: 2, outcome: "success" },
        ]);
        const all = await Array.fromAsync(play.client.views.allAttempts({ worker: process }));
        expect(all).toMatchObject([{ task: "r", name: "r", attempt: 1, outcome: "killed" }]);
      },
      options,
    ));

  test("is not touched by the death of the master, and its later steps are committed by the next one", () =>
    scene(
      ["master", "worker-1"],
      async (play) => {
        const places = placesIn(play);
        const task = await resumable.submit(play.client, places, { id: "r" });
        await play.until("step c to begin", () => linesOf(places.ledger).includes("c begins 1"));
        await play.cluster.kill("master");
        writeFileSync(places.gate, "");
        await play.until("step c to be done", () => linesOf(places.ledger).includes("c 1"));
        await play.cluster.start("master");
        expect(await task.result()).toBe(1);
        expect(linesOf(places.ledger)).toEqual(["a 1", "b 1", "c begins 1", "c 1"]);
      },
      options,
    ));

  test("that never ends is killed at its time-out, and its worker goes on", () =>
    scene(
      ["master", "worker-1"],
      async (play) => {
        const task = await forever.submit(play.client, null);
        await expect(task.result()).rejects.toThrow(/ran longer than 200 ms|took longer/);
        await play.sleepTask("after", 0);
        await play.success("after");
      },
      options,
    ));
});

describe("a parent", () => {
  test("gives its worker back, and survives the death of leader and workers with exactly one child per index", () =>
    scene(
      ["master", "worker-1", "worker-2"],
      async (play) => {
        const places = placesIn(play);
        const task = await parent.submit(play.client, { ...places, count: 6 }, { id: "p" });
        // With a capacity of 1 each, two children run although the parent has begun on one of the two workers.
        await play.until("two children to run", () => linesOf(places.ledger).length >= 2);
        expect(await play.client.get("p")).toMatchObject({ state: "waiting" });
        await play.cluster.kill("worker-1", "master");
        writeFileSync(places.gate, "");
        await Promise.all([play.cluster.start("master"), play.cluster.start("worker-1")]);
        expect(await task.result()).toEqual({ before: 1, count: 6 });
        const children = (await Array.fromAsync(play.client.iterate())).filter(({ kind }) => kind === "held");
        expect(children.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => "success"));
      },
      options,
    ));
});
