/** Nothing of an attempt is alive after its end, whatever its processes did to get away. */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { defaults } from "../../../src/model/limits.ts";
import { pipesReadyMax } from "../../../src/node/fifoPipes.ts";
import { SystemProcesses } from "../../../src/node/processes.ts";
import { sessionThatEnds } from "../../../src/proof/fakes/sessions.ts";
import { marked, type Running, type Stage, stage, until, withCommand } from "./stage.ts";

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());
// After every single test here: the invariant itself (I35).
afterEach(() => expect(marked(`OUTLAST_BOOT=${on.boot}`)).toEqual([]));

const shell = (line: string) => on.exec([line], { shell: true });
const alive = ({ ref }: Running) => marked(`OUTLAST_TASK=${ref.task}`).length;

describe("what a command leaves behind is gone with it", () => {
  test("a background child in its group", async () => {
    const run = shell("sleep 1000 >/dev/null 2>&1 & echo started");
    expect(await run.ended).toMatchObject({ outcome: "success" });
    expect(run.text()).toBe("started\n");
    expect(alive(run)).toBe(0);
  });

  test("a child in a session of its own", async () => {
    const run = shell("setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo started");
    await run.ended;
    expect(alive(run)).toBe(0);
  });

  test("a daemon: forked twice, in a session of its own, deaf to SIGTERM and SIGHUP", async () => {
    const run = shell(
      `setsid sh -c 'trap "" TERM HUP INT; (while :; do sleep 0.1; done) & ' >/dev/null 2>&1 </dev/null; exit 3`,
    );
    expect(await run.ended).toMatchObject({ outcome: "failed", exit: { code: 3 } });
    expect(alive(run)).toBe(0);
  });

  test("a process that keeps forking", async () => {
    const run = shell(
      `setsid sh -c 'while :; do setsid sh -c "sleep 0.3" & sleep 0.01; done' >/dev/null 2>&1 & sleep 0.2`,
    );
    await run.ended;
    expect(alive(run)).toBe(0);
  });

  test("a child that cleared its environment, if it stayed in the group", async () => {
    const seconds = `1000.${process.pid}`;
    // Forty of them: killing is quick, but dying takes a moment.
    const lines = [
      `for i in $(seq 40); do env -i sleep ${seconds} >/dev/null 2>&1 & done`,
      "while grep -q OUTLAST_BOOT /proc/$!/environ; do :; done; echo cleared",
    ];
    const run = shell(lines.join("\n"));
    await run.ended;
    expect(run.text()).toBe("cleared\n");
    expect(withCommand(seconds)).toEqual([]);
  });

  test("also when it holds the pipe, which is waited for only so long", async () => {
    const run = shell("setsid sleep 1000 & echo started");
    const end = await run.ended;
    expect(run.text()).toBe("started\n");
    const tookMs = end.endedAt - end.startedAt;
    expect(tookMs).toBeGreaterThanOrEqual(defaults.outputDrainMs);
    expect(tookMs).toBeLessThan(2 * defaults.outputDrainMs);
    expect(alive(run)).toBe(0);
  });

  test.each([
    ["in a session of its own", "setsid sleep SECONDS"],
    ["forked twice, in a session of its own", "setsid sh -c 'sleep SECONDS & exit'"],
    ["without an environment, in the group", "env -i sleep SECONDS"],
    ["started late, by a daemon", "setsid sh -c 'sleep 0.3; setsid sleep SECONDS & wait'"],
  ])("a child %s, beside others that come and go meanwhile", async (_how, line) => {
    const seconds = `1000.${process.pid}`;
    const run = shell(`${line.replace("SECONDS", seconds)} >/dev/null 2>&1 & while ! [ -e over ]; do sleep 0.02; done`);
    const over = join(on.directory, "over");
    const isThere = () => withCommand(`sleep\0${seconds}`).length > 0;
    // Each looks at the machine when it ends, and remembers what it has seen.
    while (!isThere()) await on.exec(["true"]).ended;
    for (let round = 0; round < 3; round++) await Promise.all([on.exec(["true"]).ended, on.exec(["true"]).ended]);
    expect(isThere()).toBe(true);
    writeFileSync(over, "");
    expect(await run.ended).toMatchObject({ outcome: "success" });
    rmSync(over);
    expect(withCommand(`sleep\0${seconds}`)).toEqual([]);
    expect(alive(run)).toBe(0);
  });

  test("what such a child still says in that time is kept", async () => {
    const run = shell("(sleep 0.2; echo late) & echo started");
    await run.ended;
    expect(run.text()).toBe("started\nlate\n");
  });
});

describe("abort", () => {
  test("ends a command by SIGTERM, which it may use to clear up", async () => {
    const run = shell("trap 'echo cleared; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
    await until("it to be ready", () => run.text() === "ready\n");
    on.executor.abort(run.ref, 10_000, "cancelled");
    const end = await run.ended;
    expect(end).toMatchObject({ outcome: "aborted", exit: { code: 7, signal: null } });
    expect(end.error).toBeUndefined();
    // Some shells say that the sleep in their loop was ended.
    expect(run.text()).toMatch(/^ready\n(Terminated\n)?cleared\n$/);
  });

  test("leaves its grace also to one that has begun before its worker knows of it", async () => {
    const known = Promise.withResolvers<void>();
    class LateProcesses extends SystemProcesses {
      override async spawn(...[command, handlers]: Parameters<SystemProcesses["spawn"]>) {
        const started = await super.spawn(command, handlers);
        if (command.isTied) await known.promise;
        return started;
      }
    }
    const late = await stage({ processes: new LateProcesses() });
    const run = late.exec(["trap 'echo cleared; exit 7' TERM; echo ready; while :; do sleep 0.02; done"], {
      shell: true,
    });
    await until("it to be ready", () => run.text() === "ready\n");
    late.executor.abort(run.ref, 10_000, "cancelled");
    known.resolve();
    expect(await run.ended).toMatchObject({ outcome: "aborted", exit: { code: 7, signal: null } });
    await late.close();
  });

  test("reaches the whole group, and leaves its children the rest of the grace", async () => {
    const run = shell(
      "sh -c 'trap \"sleep 0.1; echo child cleared; exit\" TERM; echo ready; while :; do sleep 0.02; done' & wait",
    );
    await until("it to be ready", () => run.text() === "ready\n");
    on.executor.abort(run.ref, 10_000, "cancelled");
    expect(await run.ended).toMatchObject({ outcome: "aborted", exit: { signal: "SIGTERM" } });
    expect(run.text()).toMatch(/^ready\n(Terminated\n)?child cleared\n$/);
  });

  test("kills after the grace what does not listen", async () => {
    const run = shell("trap '' TERM; echo ready; while :; do sleep 0.02; done");
    await until("it to be ready", () => run.text() === "ready\n");
    const before = performance.now();
    on.executor.abort(run.ref, 200, "cancelled");
    expect(await run.ended).toMatchObject({ outcome: "aborted", exit: { signal: "SIGKILL" } });
    expect(performance.now() - before).toBeGreaterThanOrEqual(195);
  });

  test("kills a daemon that left the group, and holds the pipe", async () => {
    const run = shell("setsid sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.02; done' & sleep 1000");
    await until("it to be ready", () => run.text() === "ready\n");
    on.executor.abort(run.ref, 100, "cancelled");
    expect(await run.ended).toMatchObject({ outcome: "aborted" });
    expect(alive(run)).toBe(0);
  });

  test("without grace kills at once, also where a longer one was running", async () => {
    const run = shell("trap '' TERM; echo ready; while :; do sleep 0.02; done");
    await until("it to be ready", () => run.text() === "ready\n");
    on.executor.abort(run.ref, 3_600_000, "cancelled");
    on.executor.abort(run.ref, 0, "cancelled");
    on.executor.abort(run.ref, 1000, "cancelled");
    expect(await run.ended).toMatchObject({ outcome: "aborted", exit: { signal: "SIGKILL" } });
  });

  test("before the process is there, or after it has ended, does no harm", async () => {
    const early = on.exec(["sleep", "1000"]);
    on.executor.abort(early.ref, 5000, "cancelled");
    expect(await early.ended).toMatchObject({ outcome: "aborted" });
    const late = on.exec(["true"]);
    expect(await late.ended).toMatchObject({ outcome: "success" });
    on.executor.abort(late.ref, 0, "cancelled");
    const missing = on.exec(["no-such-program-of-ours"]);
    on.executor.abort(missing.ref, 0, "cancelled");
    expect(await missing.ended).toMatchObject({ outcome: "aborted" });
  });

  test("touches no other attempt", async () => {
    const [one, two] = [on.exec(["sleep", "1000"]), on.exec(["sleep", "1000"])];
    await until("both to run", () => alive(one) === 1 && alive(two) === 1);
    on.executor.abort(one.ref, 0, "cancelled");
    await one.ended;
    expect(alive(two)).toBe(1);
    on.executor.abort(two.ref, 0, "cancelled");
    await two.ended;
  });
});

describe("many commands", () => {
  test("200 quick ones leave no process and no open file", async () => {
    await on.exec(["true"]).ended;
    const files = () => readdirSync("/proc/self/fd").length;
    const before = files();
    for (let round = 0; round < 10; round++) {
      const ends = await Promise.all(
        Array.from({ length: 20 }, (_, index) => on.exec(["sh", "-c", `echo ${index}`]).ended),
      );
      expect(ends.every((end) => end.outcome === "success")).toBe(true);
    }
    // Pipes that are held ready for commands to come have two each; how many there are just now is chance.
    await until("the files to be closed", () => files() <= before + 2 * pipesReadyMax);
    expect(marked(`OUTLAST_BOOT=${on.boot}`)).toEqual([]);
  });
});

describe("sleep", () => {
  test("of zero seconds has ended when start returns", () => {
    const ends: unknown[] = [];
    const assignment = {
      task: "zero",
      attempt: 1,
      name: "zero",
      kind: "sleep",
      input: { seconds: 0 },
      timeoutMs: null,
    };
    on.executor.start(
      assignment as never,
      sessionThatEnds((end) => ends.push(end)),
    );
    expect(ends).toMatchObject([{ outcome: "success" }]);
  });

  test("lasts its whole time", async () => {
    const end = await on.start("sleep", { seconds: 0.0501 }).ended;
    expect(end.outcome).toBe("success");
    expect(end.endedAt - end.startedAt).toBeGreaterThanOrEqual(51);
  });

  test("is ended at once by abort, even one of a year", async () => {
    const run = on.start("sleep", { seconds: 31_536_000 });
    on.executor.abort(run.ref, 60_000, "cancelled");
    expect(await run.ended).toMatchObject({ outcome: "aborted" });
  });

  test.each([null, {}, { seconds: "1" }, { seconds: -1 }])("of %j fails", async (input) => {
    expect(await on.start("sleep", input).ended).toMatchObject({ outcome: "failed", error: { code: "invalid-input" } });
  });
});

describe("stop", () => {
  test("ends everything, and starts nothing more", async () => {
    const own = await stage();
    const runs = [
      own.exec(["sleep", "1000"]),
      own.exec(["trap '' TERM; sleep 1000; sleep 1000"], { shell: true }),
      own.start("sleep", { seconds: 1000 }),
    ];
    await until("both commands to run", () => marked(`OUTLAST_BOOT=${own.boot}`).length >= 3);
    await own.close();
    for (const run of runs) expect(await run.ended).toMatchObject({ outcome: "aborted" });
    expect(marked(`OUTLAST_BOOT=${own.boot}`)).toEqual([]);
    expect(await own.exec(["true"]).ended).toMatchObject({ outcome: "aborted" });
    await own.executor.stop();
  });
});
