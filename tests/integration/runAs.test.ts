/** Tasks of a worker with `--run-as` have another user: they work, they reach nothing of the worker, and they are killed like all others. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient, type Outlast } from "../../src/sdk/client.ts";
import { folder, Started } from "./commands.ts";
import { marked } from "./executor/stage.ts";

const user = "nobody";
const taskFiles = ["good", "files"].map((name) => fileURLToPath(import.meta.resolve(`./runners/tasks/${name}.ts`)));
const look = (...command: string[]) =>
  spawnSync(command[0] ?? "", command.slice(1))
    .stdout?.toString()
    .trim() ?? "";
const uid = look("id", "-u", user);
const canSwitch = process.getuid?.() === 0 && uid !== "" && spawnSync("setpriv", ["--reuid", uid, "true"]).status === 0;
/** A directory that everybody may enter. */
const inRoot = ["sh", "-c", 'cd / && exec "$@"', "sh"];
const bootOf = /boot ([^)]+)/;

describe.skipIf(!canSwitch)("--run-as", () => {
  const data = join(folder, "run-as");
  let client: Outlast;
  let masters: readonly string[];
  let worker: Started;

  beforeAll(async () => {
    // So that the directories of the test do not keep anybody out.
    mkdirSync(data);
    chmodSync(folder, 0o755);
    const port = String(await findFreePort());
    const address = `http://127.0.0.1:${port}`;
    masters = ["--masters", address];
    client = createClient({ masters: address });
    await new Started(["master", "--port", port, "--data", "master"]).line(/ready/);
    const tasks = taskFiles.flatMap((file) => ["--tasks", file]);
    const options = ["--run-as", user, ...tasks, "--data", data, "--name", "w", "--capacity", "2"];
    worker = new Started(["worker", ...masters, ...options], { before: inRoot, env: { TMPDIR: "/root" } });
    await worker.line(/ready/);
  }, 60_000);
  afterAll(() => void worker?.child.kill("SIGKILL"));

  /** Runs a line as a task and gives back what it wrote. */
  async function run(line: string): Promise<string> {
    const { id } = await client.submit({ kind: "exec", input: { command: [line], shell: true }, attemptsMax: 1 });
    const pieces: Uint8Array[] = [];
    for await (const item of client.follow(id)) if (item.kind === "log") pieces.push(item.bytes);
    return Buffer.concat(pieces).toString();
  }

  test("gives a command the user, its groups and its variables, and pipes that it may open", async () => {
    expect(await run("id -u; id -G; echo $USER $LOGNAME $HOME; echo ${TMPDIR-none}")).toBe(
      `${uid}\n${look("id", "-G", user)}\n${user} ${user} ${look("sh", "-c", `echo ~${user}`)}\nnone\n`,
    );
    // Two pipes: which line is read first is chance.
    const lines = await run("echo out >/dev/stdout; echo err >/dev/stderr; f=$(mktemp) && rm $f && echo file");
    expect(lines.split("\n").sort()).toEqual(["", "err", "file", "out"]);
    expect(await run("grep -E 'CapPrm|CapEff|CapInh|CapAmb' /proc/self/status | grep -vc 0000000000000000")).toBe(
      "0\n",
    );
  });

  test("keeps the worker's environment, files and process from it", async () => {
    const place = join(data, "workers", "w");
    const tries = [
      `cat /proc/$PPID/environ`,
      `ls ${place}`,
      `cat ${place}/outbox*`,
      `cat ${join(folder, "master", "outlast.db")}`,
      `ls /proc/$PPID/fd/`,
      `kill -0 $PPID`,
      `echo x >>${data}/x`,
    ];
    const all = tries.map((line) => `if (${line}) >/dev/null 2>&1; then echo "may: ${line}"; fi`).join("\n");
    expect(await run(`${all}\ntrue`)).toBe("");
    // The worker's own user may do all of that, so the lines above are no nonsense.
    expect(look("ls", "-R", place)).toContain("outbox");
  });

  describe("files", () => {
    const places = join(data, "attempts", "w");
    /** Runs a line as a task with files and gives back how it ended, and what it has kept. */
    async function keep(line: string, input: object) {
      const command = { command: [line], shell: true, ...input };
      const { id } = await client.submit({ kind: "exec", input: command, attemptsMax: 1 });
      const task = await client.wait(id);
      const kept: { [path: string]: string } = {};
      for (const { path, sha256 } of await client.blobs.artifacts(id)) kept[path] = await textOf(sha256);
      return { task, kept };
    }

    async function textOf(sha256: string): Promise<string> {
      const pieces: Uint8Array[] = [];
      for await (const piece of client.blobs.get(sha256)) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    }

    test("go in and out, are the user's, and are gone afterwards", async () => {
      const large = "0123456789abcdef".repeat(100_000);
      const { blob } = await client.blobs.put(large);
      const { task, kept } = await keep(
        "mkdir out; id -u >out/uid; stat -c %u in/large >out/owner; cp in/large out/; cat >out/stdin; cat </dev/stdin >>out/stdin; pwd >out/place",
        { files: { "in/large": blob }, stdin: "typed\n", artifacts: ["out/**"] },
      );
      expect(task).toMatchObject({ state: "success" });
      const { "out/place": place = "", ...rest } = kept;
      expect(rest).toEqual({
        "out/uid": `${uid}\n`,
        "out/owner": `${uid}\n`,
        "out/large": large,
        // Read from the descriptor, and once more from the beginning, by its name.
        "out/stdin": "typed\ntyped\n",
      });
      expect(place.startsWith(`${places}/attempt-`)).toBe(true);
      expect(existsSync(place.trim())).toBe(false);
    });

    test("let a command talk with its task", async () => {
      const cli = fileURLToPath(import.meta.resolve("../../bin/outlast.js"));
      const { task } = await keep(`'${process.execPath}' '${cli}' progress 3 4`, { artifacts: ["x"] });
      expect(task).toMatchObject({ state: "success" });
    });

    test("of others are out of reach, whatever a task puts in the way", async () => {
      const secret = join(folder, "master", "outlast.db");
      const tries = [
        [`ln -s ${secret} left`, "failed"],
        [`ln ${secret} left`, "failed"],
        ["mkfifo left", "failed"],
        ["mkdir left", "success"],
      ] as const;
      for (const [line, state] of tries) {
        const { task, kept } = await keep(line, { artifacts: ["left"] });
        expect({ line, state: task.state, kept }).toEqual({ line, state, kept: {} });
      }
      // Its whole folder becomes a link to one of the worker's.
      const { task, kept } = await keep(
        `cd / && mv $OUTLAST_FOLDER /tmp/moved-$$; ln -s ${join(data, "workers", "w")} $OUTLAST_FOLDER`,
        {
          artifacts: ["**"],
        },
      );
      expect(kept).toEqual({});
      expect(task.state).toBe("success");
      expect(existsSync(join(data, "workers", "w", "outbox"))).toBe(true);
    });

    test("go on though a task kills what deals with them", async () => {
      const { task } = await keep("pkill -u $(id -u) -f 'tree[P]rogram'; echo x >kept; sleep 0.2", {
        artifacts: ["kept"],
      });
      expect(task.state).toBe("success");
      const other = await keep("echo y >kept", { artifacts: ["kept"] });
      expect(other.kept).toEqual({ kept: "y\n" });
    });

    test("are for handlers, too", async () => {
      const { blob } = await client.blobs.put("text");
      const { id } = await client.submit({ kind: "upper", input: blob, attemptsMax: 1 });
      expect(await client.wait(id)).toMatchObject({ state: "success", output: { isInside: true, size: 4 } });
    });

    test("of a worker that was killed are removed when it is back", async () => {
      const options = ["--run-as", user, "--data", data, "--name", "back", "--queues", "back"];
      const begin = () => new Started(["worker", ...masters, ...options], { before: inRoot });
      const first = begin();
      await first.line(/ready/);
      const input = {
        command: ["mkdir deep; chmod 000 deep; echo up; exec sleep 1000"],
        shell: true,
        artifacts: ["x"],
      };
      await client.submit({ id: "back", queue: "back", kind: "exec", input });
      for await (const item of client.follow("back")) if (item.kind === "log") break;
      const left = () => readdirSync(join(data, "attempts", "back")).filter((name) => name.startsWith("attempt-"));
      expect(left()).toHaveLength(1);
      first.child.kill("SIGKILL");
      await first.ended;
      await client.cancel("back");
      const second = begin();
      await second.line(/ready/);
      expect(left()).toEqual([]);
      second.child.kill("SIGKILL");
    });

    test("are refused where the user cannot get to them; all else goes on", async () => {
      const closed = join(data, "closed");
      mkdirSync(closed, { mode: 0o700 });
      const options = ["--run-as", user, "--data", closed, "--name", "closed", "--queues", "closed"];
      const other = new Started(["worker", ...masters, ...options], { before: inRoot });
      expect(await other.line(/tasks cannot have files here/)).toContain(join(closed, "attempts", "closed"));
      const submit = async (input: object) => {
        const command = { command: ["true"], ...input };
        const { id } = await client.submit({ queue: "closed", kind: "exec", input: command, attemptsMax: 1 });
        return client.wait(id);
      };
      expect(await submit({ artifacts: ["x"] })).toMatchObject({ state: "failed", error: { code: "unsupported" } });
      expect(await submit({})).toMatchObject({ state: "success" });
      other.child.kill("SIGKILL");
    });
  });

  test("holds for handlers, too", async () => {
    const { id } = await client.submit({ kind: "uid", input: null, attemptsMax: 1 });
    expect(await client.wait(id)).toMatchObject({ state: "success", output: Number(uid) });
  });

  test("kills what a command leaves behind, and one that is deaf to SIGTERM", async () => {
    const { id } = await client.submit({
      id: "left",
      kind: "exec",
      input: { command: ["setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo done"], shell: true },
    });
    expect(await client.wait(id)).toMatchObject({ state: "success" });
    expect(marked("OUTLAST_TASK=left")).toEqual([]);
    const line = "trap '' TERM; echo deaf; while :; do sleep 0.1; done";
    await client.submit({ id: "deaf", kind: "exec", input: { command: [line], shell: true } });
    for await (const item of client.follow("deaf")) {
      if (item.kind === "log") await client.cancel("deaf");
    }
    expect(await client.get("deaf")).toMatchObject({ state: "cancelled" });
    await expect.poll(() => marked("OUTLAST_TASK=deaf"), { timeout: 30_000 }).toEqual([]);
  });

  test("lets nothing survive the worker", async () => {
    const options = ["--run-as", user, "--data", data, "--name", "shot", "--queues", "shot"];
    const other = new Started(["worker", ...masters, ...options], { before: inRoot });
    const boot = bootOf.exec(await other.line(/ready/))?.[1] ?? "";
    const line = "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo up; exec sleep 1000";
    await client.submit({ id: "shot", queue: "shot", kind: "exec", input: { command: [line], shell: true } });
    for await (const item of client.follow("shot")) if (item.kind === "log") break;
    other.child.kill("SIGKILL");
    await expect.poll(() => marked(`OUTLAST_BOOT=${boot}`), { timeout: 30_000 }).toEqual([]);
    await client.cancel("shot");
  });

  test("is refused with what is missing", async () => {
    const refused = async (name: string, before: readonly string[] = inRoot) =>
      (await new Started(["worker", ...masters, "--data", data, "--name", "no", "--run-as", name], { before }).ended)
        .stderr;
    expect(await refused("root")).toContain("Tasks must not run as root.");
    expect(await refused("no-such-user")).toContain("This machine has no user no-such-user.");
    const weak = ["setpriv", "--reuid", "1", "--regid", "1", "--clear-groups"];
    expect(await refused(user, [...weak, ...inRoot])).toMatch(/may not|not permitted[^]*Start the worker as root/);
    expect(await refused(user, ["sh", "-c", 'cd /root && exec "$@"', "sh"])).toContain("which this user may not enter");
  });
});
