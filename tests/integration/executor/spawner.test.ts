/** Commands that a spawner starts are what they would be if the worker itself had started them, and what they leave behind is known. */
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SystemProcesses } from "../../../src/node/processes.ts";
import type { Remains } from "../../../src/ports/processes.ts";
import { marked, type Stage, stage, until, withCommand } from "./stage.ts";

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const shell = (line: string) => on.exec([line], { shell: true });
const pathWas = process.env["PATH"];

/** The spawner of the commands of this file: each command's parent. */
async function spawnerPid(): Promise<number> {
  const run = shell("echo $PPID");
  await run.ended;
  return Number(run.text());
}

describe("where this machine can do it", () => {
  test("the parent of commands is a spawner, and each leads a session and a group of its own", async () => {
    const spawner = await spawnerPid();
    expect(spawner).not.toBe(process.pid);
    expect(withCommand("outlast-spawner")).toContain(spawner);
    const run = shell(
      "read -r pid name state parent group session rest < /proc/$$/stat; echo $pid $parent $group $session",
    );
    await run.ended;
    const [pid, ...others] = run.text().trim().split(" ").map(Number);
    expect(others).toEqual([spawner, pid, pid]);
  });

  test("arguments and variables arrive byte for byte", async () => {
    const texts = ["", " ", "a b", "é\n日本", "--", "=", "$HOME", "x".repeat(100_000)];
    const run = on.exec(["sh", "-c", 'printf "%s|" "$@" "$ODD"', "sh", ...texts], { env: { ODD: "a=b\n" } });
    expect(await run.ended).toMatchObject({ outcome: "success" });
    expect(run.text()).toBe([...texts, "a=b\n", ""].join("|"));
  });

  test("its own signals and open files are not inherited", async () => {
    const run = shell("grep -E 'Sig(Blk|Ign)' /proc/self/status; for f in /proc/self/fd/*; do readlink $f; done");
    await run.ended;
    expect(run.text()).toMatch(/^SigBlk:\s+0{16}\nSigIgn:\s+0{16}\n/);
    expect(run.text()).not.toContain("socket:");
    expect(run.text().match(/^\/dev\/null$/gm)?.length).toBe(1);
  });

  test.each([
    ["kill -TERM $$", { code: null, signal: "SIGTERM" }],
    ["kill -SEGV $$", { code: null, signal: "SIGSEGV" }],
    ["exit 255", { code: 255, signal: null }],
  ])("%s is told as it is", async (line, exit) => {
    expect(await shell(line).ended).toMatchObject({ exit });
  });

  test("a program that cannot be executed is the task's fault", async () => {
    const script = join(on.directory, "of-nothing");
    writeFileSync(script, "#!/no/such/interpreter\n");
    chmodSync(script, 0o755);
    expect(await on.exec([script]).ended).toMatchObject({ outcome: "failed", error: { code: "spawn" } });
    expect(await shell("true").ended).toMatchObject({ outcome: "success" });
  });
});

test("a command that stops its parent holds nobody up", async () => {
  const [first, second] = [shell("kill -STOP $PPID; echo on"), shell("echo on")];
  for (const run of [first, second]) expect(await run.ended).toMatchObject({ outcome: "success" });
});

test("signals that are meant for the worker do not end it", async () => {
  const spawner = await spawnerPid();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.kill(spawner, signal);
  expect(await spawnerPid()).toBe(spawner);
});

test("where there is no perl, commands run all the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-no-perl-"));
  const other = await stage();
  try {
    for (const name of ["setpriv", "prlimit", "mkfifo", "true"]) {
      const places = (pathWas ?? "").split(delimiter).map((directory) => join(directory, name));
      symlinkSync(places.find((place) => existsSync(place)) ?? "", join(folder, name));
    }
    process.env["PATH"] = folder;
    const run = other.exec(["echo $PPID"], { shell: true });
    expect(await run.ended).toMatchObject({ outcome: "success" });
    expect(run.text().trim()).toBe(String(process.pid));
  } finally {
    process.env["PATH"] = pathWas;
    await other.close();
    rmSync(folder, { recursive: true });
  }
});

describe("what is left at the end of a command", () => {
  const processes = new SystemProcesses();
  afterAll(() => processes.close());

  async function remainsOf(line: string, meanwhile?: () => Promise<void>): Promise<Remains> {
    const { promise, resolve } = Promise.withResolvers<Remains>();
    const env = { PATH: pathWas ?? "", OUTLAST_TEST: String(process.pid) };
    const command = { argv: ["sh", "-c", line], env, cwd: "/", home: "/", isTied: true, hasInput: false };
    const handlers = {
      onOutput: () => {},
      onOutputEnd: () => {},
      onExit: (_: unknown, remains: Remains) => resolve(remains),
    };
    await processes.spawn(command, handlers);
    await meanwhile?.();
    return promise;
  }
  const clean = { hasGroup: false, mayHaveMore: false };
  const sweep = () => processes.killAll([`OUTLAST_TEST=${process.pid}`], null);

  test("is known to be nothing where all that it started has ended", async () => {
    expect(await remainsOf("true")).toEqual(clean);
    expect(await remainsOf("sh -c 'sh -c true; true' & wait; exit 3")).toEqual(clean);
  });

  test.each([
    ["in its group", "sleep 1000 >/dev/null 2>&1 &", { hasGroup: true, mayHaveMore: true }],
    ["in a session of its own", "setsid sleep 1000 >/dev/null 2>&1 &", { mayHaveMore: true }],
    ["forked twice", "(setsid sh -c 'sleep 1000 & wait' >/dev/null 2>&1 &)", { mayHaveMore: true }],
  ])("is seen: %s", async (_, line, remains) => {
    expect(await remainsOf(line)).toMatchObject(remains);
    // While it is there, it may be that of any.
    expect(await remainsOf("true")).toMatchObject({ mayHaveMore: true });
    await sweep();
    await expect.poll(() => remainsOf("true")).toEqual(clean);
  });

  test("is not what another command still has", async () => {
    const own = shell("sh -c 'sleep 1000; true'");
    await until("it to run", () => marked(`OUTLAST_TASK=${own.ref.task}`).length === 3);
    expect(await remainsOf("true", async () => void (await remainsOf("sleep 0.1")))).toEqual(clean);
    on.executor.abort(own.ref, 0, "cancelled");
    await own.ended;
  });
});
