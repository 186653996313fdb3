/** Graphs on a real cluster: the example as a user runs it, masters and workers killed in the middle, and a very large one. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { GraphNodeView } from "../../src/model/graphs/graphView.ts";
import { limits } from "../../src/model/limits.ts";
import { type Scene, scene } from "./scene.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const example = join(root, "examples/build/graph.yaml");

async function outlast(play: Scene, ...operands: string[]): Promise<string> {
  const command = [join(root, "bin/outlast.js"), "--masters", play.cluster.address, ...operands];
  return (await promisify(execFile)(process.execPath, command)).stdout;
}

async function nodesOf(play: Scene, id: string): Promise<ReadonlyMap<string, GraphNodeView>> {
  const { nodes } = await play.client.graph(id);
  return new Map(nodes.map((node) => [node.name, node]));
}

test("the example runs as its file says, and can be walked", () =>
  scene(["master", "worker-1"], async (play) => {
    const id = (await outlast(play, "run", example, "--id", "build", "--wait")).trim().split(/\s/)[0] ?? "";
    const nodes = await nodesOf(play, "build");
    expect([...nodes.values()].map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...["clean success", "part-a success", "part-b success", "link success", "check success"],
      ...["tell-failure skipped", "tidy success"],
    ]);
    expect(nodes.get("link")?.after).toEqual(["part-a", "part-b"]);
    const lines = await play.client.graph(nodes.get("check")?.id ?? "");
    expect(lines).toMatchObject({ parent: "build", total: 2 });
    const part = nodes.get("part-a")?.id ?? "";
    expect((await play.client.graph(part)).dependents).toEqual([nodes.get("link")?.id]);
    expect(await outlast(play, "graph", part)).toContain(`before ${nodes.get("link")?.id}`);
    const text = await outlast(play, "graph", id);
    expect(text).toContain("check/lines");
    expect(text).toMatch(/tell-failure +skipped .* check \(if failure\)/);
  }));

test("nothing of a graph is lost or started early when its master and a worker are killed", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const nap = { kind: "sleep", input: { seconds: 0.5 } } as const;
    const tasks = {
      ...{ a: nap, b: nap, join: { ...nap, after: ["a", "b"] }, end: { ...nap, after: ["join"] } },
      never: { ...nap, after: ["join"], runIf: "failure" as const },
    };
    await play.client.submit({ id: "g", kind: "graph", input: { tasks } });
    await play.client.submit({ id: "follower", ...nap, after: ["g"] });
    const a = (await nodesOf(play, "g")).get("a")?.id ?? "";
    const { process: worker } = await play.started(a);
    await play.cluster.kill("master");
    await play.cluster.kill(worker);
    await play.cluster.start("master");
    await play.success("follower");
    const nodes = await nodesOf(play, "g");
    expect([...nodes].map(([name, { state }]) => `${name} ${state}`)).toEqual([
      ...["a success", "b success", "join success", "end success", "never skipped"],
    ]);
    const endOf = (name: string) => nodes.get(name)?.endedAt ?? Number.NaN;
    const startOf = (name: string) => nodes.get(name)?.startedAt ?? Number.NaN;
    expect(startOf("join")).toBeGreaterThanOrEqual(Math.max(endOf("a"), endOf("b")));
    expect(startOf("end")).toBeGreaterThanOrEqual(endOf("join"));
    expect(play.starts(nodes.get("never")?.id ?? "")).toEqual([]);
  }));

test("outputs of handlers arrive in the commands that wait for them, each as one argument", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      const hostile = `a b "c" $(rm -rf /) 'd'\n\${tasks.load.output}`;
      const tasks = {
        load: { kind: "echo", input: { text: hostile.replace("${tasks.", () => "$${tasks."), rows: 7 } },
        show: {
          kind: "exec",
          after: ["load"],
          input: {
            command: ["printf", "%s|", "${tasks.load.output.text}", "${tasks.load.output.rows}", "$${tasks.x}"],
          },
        },
      };
      await play.client.submit({ id: "g", kind: "graph", input: { tasks } });
      await play.success("g");
      const show = (await nodesOf(play, "g")).get("show")?.id ?? "";
      expect(await play.logOf(show)).toBe(`${hostile}|7|\${tasks.x}|`);
      expect(await play.client.get(show)).toMatchObject({
        resolvedInput: { command: ["printf", "%s|", hostile, "7", "${tasks.x}"] },
      });
      expect(await play.client.get("g")).toMatchObject({ output: { load: { text: hostile, rows: 7 } } });
    },
    { workerArguments: ["--tasks", fileURLToPath(new URL("./tasks/echo.ts", import.meta.url))] },
  ));

test("files that a command leaves are in the folders of those that wait for it", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const line = "mkdir out && printf 'a,1\\nb,2\\n' > out/report.csv && echo done > log.txt";
    const find = "find . -type f | sort | xargs sha256sum";
    const tasks = {
      make: { kind: "exec", input: { shell: true, command: [line], artifacts: ["out/**", "*.txt"] } },
      count: {
        kind: "exec",
        after: ["make"],
        input: {
          shell: true,
          command: ["wc -l < report.csv; cat"],
          files: { "report.csv": "${tasks.make.artifacts.out/report.csv}" },
          stdin: { blob: "${tasks.make.artifacts.log.txt}" },
        },
      },
      inner: {
        kind: "graph",
        after: ["make"],
        input: {
          tasks: { list: { kind: "exec", input: { shell: true, command: [find], files: "${tasks.make.artifacts}" } } },
        },
      },
      lacks: {
        kind: "exec",
        after: ["make"],
        input: { command: ["cat", "x"], files: { x: "${tasks.make.artifacts.report.csv}" } },
      },
    };
    await play.client.submit({ id: "g", kind: "graph", input: { tasks, onFailure: "continue" } });
    await play.until("the graph to end", async () => (await play.client.get("g")).state === "failed");
    const nodes = await nodesOf(play, "g");
    const idOf = (name: string) => nodes.get(name)?.id ?? "";
    expect(await play.logOf(idOf("count"))).toBe("2\ndone\n");
    const [list] = (await play.client.graph(idOf("inner"))).nodes;
    const artifacts = await play.client.blobs.artifacts(idOf("make"));
    const sums = artifacts.map(({ path, sha256 }) => `${sha256}  ./${path}\n`);
    expect(sums).toHaveLength(2);
    expect(await play.logOf(list?.id ?? "")).toBe(
      sums.toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join(""),
    );
    expect((await play.client.get(idOf("lacks"))).error).toMatchObject({
      code: "input",
      message: expect.stringContaining('has left no artifact "report.csv". It has left log.txt, out/report.csv'),
    });
    // Any task may take files of one that it waits for, also of one that has ended.
    const reference = `\${tasks.${idOf("make")}.artifacts.log.txt}`;
    const input = { command: ["cat", "log"], files: { log: reference } };
    await play.client.submit({ id: "later", kind: "exec", after: [idOf("make")], input });
    await play.success("later");
    expect(await play.logOf("later")).toBe("done\n");
    const log = artifacts.find(({ path }) => path === "log.txt");
    const files = ["--file", `a=${reference}`, "--file", `b=sha256:${log?.sha256}`, "--stdin", reference];
    const named = ["--id", "by-command", "--after", idOf("make"), ...files, "--wait"];
    await outlast(play, "submit", "exec", ...named, "--", "cat", "a", "b", "-");
    expect(await play.logOf("by-command")).toBe("done\ndone\ndone\n");
  }));

test("a graph of 10 000 nodes and 90 000 links is created while other tasks run", { timeout: 300_000 }, () =>
  scene(["master", "worker-1"], async (play) => {
    const width = 1000;
    const before = (index: number) =>
      Array.from({ length: 10 }, (_, n) => `n${Math.floor(index / width - 1) * width + ((index + n * 7) % width)}`);
    const none = { kind: "nobody-has-this", input: {} };
    const tasks = Object.fromEntries(
      Array.from({ length: limits.graphTasksMax }, (_, index) => [
        `n${index}`,
        index < width ? none : { ...none, after: before(index) },
      ]),
    );
    await play.client.submit({ id: "g", kind: "graph", input: { tasks } });
    // While the nodes are created, a task is submitted and run.
    const other = await play.client.submit({ kind: "sleep", input: { seconds: 0 } });
    await play.success(other.id);
    const total = await play.until(
      "all nodes to be there",
      async () => {
        const { nodes } = await play.client.graph("g", { cursor: limits.graphTasksMax - 1 });
        return nodes.at(-1)?.state === "blocked" && (await play.client.get("g")).family?.children;
      },
      120_000,
    );
    expect(total).toBe(limits.graphTasksMax);
    await play.client.cancel("g");
    await play.until(
      "the cancel to reach all",
      async () => (await play.client.get("g")).state === "cancelled",
      120_000,
    );
  }),
);
