/** The examples as a user runs them: on a real cluster, with workers and masters killed in the middle. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { crawl } from "../../examples/crawl/tasks.ts";
import { etl } from "../../examples/etl/tasks.ts";
import { order } from "../../examples/order/tasks.ts";
import { printNumbers, printNumbersShort } from "../../examples/print-numbers/tasks.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import { type Scene, scene } from "./scene.ts";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const options = { workerArguments: ["--tasks", examples] };
const processes = ["master", "worker-1", "worker-2"];

async function childrenOf(play: Scene, parent: string): Promise<TaskDocument[]> {
  const all = await Array.fromAsync(play.client.iterate({ order: "oldest" }));
  return all.filter(({ id }) => id.startsWith(`${parent}~`));
}

/** Over the numbers from 1 to 1000, which come to 500 500. */
function submitEtl(play: Scene) {
  const numbers = Array.from({ length: 1000 }, (_, index) => index + 1);
  writeFileSync(join(play.directory, "numbers.txt"), `${numbers.join("\n")}\n`);
  return etl.submit(play.client, { folder: play.directory, parts: 5 }, { id: "e" });
}

describe("print-numbers", () => {
  test.each([
    ["as classes", printNumbers, { printed: 35 }],
    ["with fanOut", printNumbersShort, null],
  ])(
    "%s: all children succeed, the numbers are printed once each, and the master task succeeds",
    (_how, task, result) =>
      scene(
        processes,
        async (play) => {
          const submitted = await task.submit(play.client, { n: 35 }, { id: "numbers" });
          expect(await submitted.result()).toEqual(result);
          const children = await childrenOf(play, "numbers");
          expect(children.map(({ state }) => state)).toEqual(["success", "success", "success", "success"]);
          const logs = await Promise.all(children.map(({ id }) => play.logOf(id)));
          const printed = logs
            .join("")
            .trim()
            .split("\n")
            .map(Number)
            .sort((one, other) => one - other);
          expect(printed).toEqual(Array.from({ length: 35 }, (_, index) => index + 1));
        },
        options,
      ),
  );

  test("one child fails: the others succeed, and the master task fails", () =>
    scene(
      processes,
      async (play) => {
        const submitted = await printNumbers.submit(play.client, { n: 35, failAt: 12 }, { id: "numbers" });
        await expect(submitted.result()).rejects.toThrow("12 cannot be printed.");
        const states = (await childrenOf(play, "numbers")).map(({ state }) => state);
        expect(states.sort()).toEqual(["failed", "success", "success", "success"]);
      },
      options,
    ));
});

describe("order", () => {
  const submit = (play: Scene, approvalMs?: number) => {
    const input = {
      item: "book",
      amount: 7,
      ledger: join(play.directory, "ledger"),
      ...(approvalMs !== undefined && { approvalMs }),
    };
    return order.submit(play.client, input, { id: "o", attemptsMax: 1 });
  };
  const ledger = (play: Scene) => {
    const path = join(play.directory, "ledger");
    return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
  };
  const waiting = (play: Scene) =>
    play.until("the order to wait", async () => (await play.client.get("o")).state === "waiting");

  test("waits for its approval through the deaths of workers and master, and charges once", () =>
    scene(
      processes,
      async (play) => {
        const submitted = await submit(play);
        await waiting(play);
        await play.cluster.kill(...processes);
        await Promise.all(processes.map((process) => play.cluster.start(process)));
        await play.client.signal("o", "approval", { payload: { by: "Ada", isApproved: true } });
        expect(await submitted.result()).toEqual({ payment: "payment-of-o", by: "Ada" });
        expect(ledger(play)).toEqual(["reserve book o", "charge 7 o", "ship book o"]);
        expect(await play.logOf("o")).toContain("resumes with");
      },
      options,
    ));

  test("that is refused is compensated in reverse order, and fails", () =>
    scene(
      processes,
      async (play) => {
        const submitted = await submit(play);
        await waiting(play);
        await play.client.signal("o", "approval", { payload: { by: "Bob", isApproved: false } });
        await expect(submitted.result()).rejects.toThrow("Bob has refused the order.");
        expect(ledger(play)).toEqual(["reserve book o", "charge 7 o", "refund 7 o", "release book o"]);
      },
      options,
    ));

  test("that nobody approves in time is compensated, too", () =>
    scene(
      processes,
      async (play) => {
        const submitted = await submit(play, 200);
        await expect(submitted.result()).rejects.toThrow('No signal "approval" came in time.');
        expect(ledger(play)).toEqual(["reserve book o", "charge 7 o", "refund 7 o", "release book o"]);
      },
      options,
    ));
});

test("crawl follows the links of a site as children of children, though workers and the leader are killed", () =>
  scene(
    processes,
    async (play) => {
      const pages: { [path: string]: string[] } = { "/": ["/a", "/b"], "/a": ["/a1", "/a2", "/dead"], "/b": ["/b1"] };
      const killed = Promise.withResolvers<void>();
      let rootVisits = 0;
      const server = createServer((request, response) => {
        const path = request.url ?? "/";
        const answer = () => {
          if (path === "/dead") return response.writeHead(404).end();
          return response.end((pages[path] ?? []).map((link) => `<a href="${link}">x</a>`).join(" "));
        };
        if (path === "/") {
          rootVisits += 1;
          answer();
        } else void killed.promise.then(answer);
      });
      await new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", resolve);
      });
      try {
        const { port } = server.address() as AddressInfo;
        const submitted = await crawl.submit(play.client, { url: `http://127.0.0.1:${port}/`, depth: 2 }, { id: "c" });
        await play.until("children to be there", async () => (await childrenOf(play, "c")).length > 0);
        await play.cluster.kill(...processes);
        killed.resolve();
        await Promise.all(processes.map((process) => play.cluster.start(process)));
        expect(await submitted.result()).toBe(6);
        expect(await play.logOf("c")).toContain("remembered: fetch");
        expect(rootVisits).toBe(1);
        const children = await childrenOf(play, "c");
        expect(children.map(({ state }) => state).sort()).toEqual([...Array(5).fill("success"), "failed"].sort());
      } finally {
        server.close();
      }
    },
    options,
  ));

describe("with its leader and all workers killed while its children are made and run", () => {
  const killAll = async (play: Scene, parent: string) => {
    await play.until("children to be there", async () => (await childrenOf(play, parent)).length > 0);
    await play.cluster.kill(...processes);
    await Promise.all(processes.map((process) => play.cluster.start(process)));
  };

  test("print-numbers has each child once, and succeeds", () =>
    scene(
      processes,
      async (play) => {
        const submitted = await printNumbers.submit(play.client, { n: 35 }, { id: "numbers" });
        await killAll(play, "numbers");
        expect(await submitted.result()).toEqual({ printed: 35 });
        const children = await childrenOf(play, "numbers");
        expect(children.map(({ state }) => state)).toEqual(["success", "success", "success", "success"]);
      },
      options,
    ));

  test("etl adds up the same", () =>
    scene(
      processes,
      async (play) => {
        const submitted = await submitEtl(play);
        await killAll(play, "e");
        expect(await submitted.result()).toEqual({ files: 5, total: 500_500 });
        expect(await play.logOf("e")).toContain("resumes with");
      },
      options,
    ));
});

test("etl mixes shell commands with handlers", () =>
  scene(
    processes,
    async (play) => {
      const submitted = await submitEtl(play);
      expect(await submitted.result()).toEqual({ files: 5, total: 500_500 });
      expect(readFileSync(join(play.directory, "total.txt"), "utf8")).toBe("500500\n");
    },
    options,
  ));
