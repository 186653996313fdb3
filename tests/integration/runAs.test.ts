/** Tasks of a worker with `--run-as` have another user: they work, they reach nothing of the worker, and they are killed like all others. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient, type Outlast } from "../../src/sdk/client.ts";
import { folder, Started } from "./commands.ts";
import { marked } from "./executor/stage.ts";

const user = "nobody";
const taskFile = fileURLToPath(import.meta.resolve("./runners/tasks/good.ts"));
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
    const options = ["--run-as", user, "--tasks", taskFile, "--data", data, "--name", "w", "--capacity", "2"];
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
    expect(await run("echo out >/dev/stdout; echo err >/dev/stderr; f=$(mktemp) && rm $f && echo file")).toBe(
      "out\nerr\nfile\n",
    );
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
