/** Tasks of kind `container` on a real cluster with a real engine: how they end, and what becomes of them when their worker dies. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContainerInput } from "../../../src/model/kinds/container.ts";
import type { TaskDocument } from "../../../src/model/task.ts";
import { type Scene, scene } from "../../e2e/scene.ts";
import { findEngine, testEnvironment } from "../testEngine.ts";
import { makeSmallImage, smallImage } from "./smallImage.ts";

const engine = findEngine();
const mountable = mkdtempSync(join(tmpdir(), "outlast-mountable-"));
/** An engine is slow on a busy machine. */
const waitMsMax = 60_000;
const options = {
  capacity: 4,
  environment: { CONTAINERS_CONF: testEnvironment["CONTAINERS_CONF"] ?? "" },
  workerArguments: ["--container", engine.program, "--container-mount", mountable],
};

beforeAll(() => makeSmallImage(engine));
afterAll(() => rmSync(mountable, { recursive: true }));

/** Ids of containers of tasks, whether they run or not, that carry this in their environment. */
async function containersOf(play: Scene): Promise<string[]> {
  const { stdout } = await engine.try("ps", "--all", "--quiet", "--no-trunc", "--filter", "label=outlast.owner");
  const ids = stdout.split("\n").filter((id) => id !== "");
  const mine = await Promise.all(
    ids.map(async (id) => {
      const found = await engine.try("container", "inspect", "--format", "{{json .Config.Env}}", id);
      return found.stdout.includes(`IN=${play.directory}`);
    }),
  );
  return ids.filter((_, index) => mine[index]);
}

function shell(play: Scene, line: string, more: Partial<ContainerInput> = {}): ContainerInput {
  return { image: smallImage, command: ["sh", "-c", line], ...more, env: { IN: play.directory, ...more.env } };
}

function submit(play: Scene, id: string, input: ContainerInput, more: object = {}): Promise<unknown> {
  return play.client.submit({ id, kind: "container", input, attemptsMax: 1, ...more });
}

function over(play: Scene, id: string): Promise<TaskDocument> {
  return play.until(
    `the end of ${id}`,
    async () => {
      const task = await play.client.get(id);
      return ["success", "failed", "cancelled"].includes(task.state) && task;
    },
    waitMsMax,
  );
}

test("a container runs with what its task says, and nothing is left of it", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      writeFileSync(join(mountable, "data"), "from the machine\n");
      const secret = `it's "quoted" #1 = $HOME \\n ü`;
      const line =
        'echo "$A/$OUTLAST_TASK/$OUTLAST_ATTEMPT"; printf "%s\\n" "$S" >&2; cat /in/data; pwd; (echo x > /in/data) || echo read-only';
      const mounts = [{ source: mountable, target: "/in" }];
      await submit(
        play,
        "says",
        shell(play, line, { env: { A: "one\ntwo" }, secretEnv: { S: secret }, cwd: "/tmp", mounts }),
      );
      expect(await over(play, "says")).toMatchObject({ state: "success", exit: { code: 0 } });
      // Of two pipes, each keeps its order, and they come in any.
      const lines = (await play.logOf("says")).split("\n").filter((text) => !/^(sh: .*)?$/.test(text));
      const written = ["one", "two/says/1", "from the machine", "/tmp", "read-only"];
      expect(lines.filter((text) => text !== secret)).toEqual(written);
      expect(lines).toContain(secret);

      await submit(play, "exits", shell(play, "echo last words; exit 7"));
      expect(await over(play, "exits")).toMatchObject({ state: "failed", error: { code: "exit" }, exit: { code: 7 } });
      expect(await play.logOf("exits")).toBe("last words\n");

      await submit(play, "greedy", shell(play, "tail /dev/zero", { memoryBytesMax: 16 * 1024 * 1024 }));
      expect(await over(play, "greedy")).toMatchObject({ state: "failed", error: { code: "oom" } });

      await submit(play, "unknown", { image: "localhost/outlast-test-nothing:1", env: { IN: play.directory } });
      expect((await over(play, "unknown")).error).toMatchObject({ code: "container" });
      await submit(play, "no-program", { ...shell(play, ""), command: ["/no/such/program"] });
      expect((await over(play, "no-program")).error).toMatchObject({ code: "container" });

      symlinkSync("/etc", join(mountable, "way-out"));
      for (const [id, source] of [
        ["outside", "/etc"],
        ["beside", `${mountable}-beside`],
        ["through-a-link", join(mountable, "way-out")],
      ] as const) {
        await submit(play, id, shell(play, "cat /in/passwd", { mounts: [{ source, target: "/in" }] }), {
          attemptsMax: 3,
        });
        expect(await over(play, id)).toMatchObject({ state: "failed", attempt: 1, error: { code: "non-retryable" } });
      }
      expect(await containersOf(play)).toEqual([]);
    },
    options,
  ));

test("cancelling and time-outs stop a container", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      // Deaf to SIGTERM, as programs are that are the first of a container and say nothing else.
      await submit(play, "cancelled", shell(play, "echo runs; exec sleep 1000"));
      await submit(play, "late", shell(play, "echo runs; exec sleep 1000"), { timeoutMs: 3_000 });
      await play.until("both containers", async () => (await containersOf(play)).length === 2, waitMsMax);
      await play.client.cancel("cancelled");
      expect(await over(play, "late")).toMatchObject({ state: "failed", error: { code: "timeout" } });
      await play.until("their end", async () => (await containersOf(play)).length === 0, waitMsMax);
    },
    options,
  ));

test("a container dies with its worker, and its task runs again elsewhere", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      await submit(
        play,
        "long",
        shell(play, 'echo "attempt $OUTLAST_ATTEMPT"; [ $OUTLAST_ATTEMPT = 1 ] && exec sleep 1000; exit 0'),
      );
      const [first] = await play.until(
        "the container",
        async () => {
          const found = await containersOf(play);
          return found.length === 1 && found;
        },
        waitMsMax,
      );
      // It prints through the engine: then it runs for sure.
      await play.started("long");
      await play.cluster.kill("worker-1");
      await play.until("its removal", async () => !(await containersOf(play)).includes(first ?? ""), waitMsMax);
      await play.cluster.start("worker-2");
      expect(await over(play, "long")).toMatchObject({ state: "success", kills: 1, failures: 0, attempt: 2 });
      expect(await play.logOf("long")).toBe("attempt 2\n");
      expect(await containersOf(play)).toEqual([]);
    },
    options,
  ));

test("a worker that comes back removes what its earlier life has left", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      await submit(play, "long", shell(play, "[ $OUTLAST_ATTEMPT = 1 ] && exec sleep 1000; exit 0"));
      const [first = ""] = await play.until(
        "the container",
        async () => {
          const found = await containersOf(play);
          return found.length === 1 && found;
        },
        waitMsMax,
      );
      // As after the death of the whole machine: nobody was there to remove it, and it carries the mark of another life.
      const name = (await engine.run("container", "inspect", "--format", "{{.Name}}", first)).trim().replace("/", "");
      const labels = JSON.parse(
        await engine.run("container", "inspect", "--format", "{{json .Config.Labels}}", first),
      ) as {
        readonly [label: string]: string;
      };
      await play.cluster.kill("worker-1");
      await play.until("its removal", async () => (await containersOf(play)).length === 0, waitMsMax);
      const kept = Object.entries({ ...labels, "outlast.boot": "an-earlier-one" }).map(
        ([label, value]) => `--label=${label}=${value}`,
      );
      await engine.run(
        "run",
        "--detach",
        "--name",
        name,
        ...kept,
        `--env=IN=${play.directory}`,
        smallImage,
        "sleep",
        "1000",
      );
      expect(await containersOf(play)).toHaveLength(1);
      await play.cluster.start("worker-1");
      expect(await containersOf(play)).toEqual([]);
      expect(await over(play, "long")).toMatchObject({ state: "success", kills: 1 });
    },
    options,
  ));
