/** A process that uses up its own descriptors, in two parts: what a command's start then comes to, and what a sweep then sees. */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskId } from "../../../src/model/ids.ts";
import type { AttemptEnd } from "../../../src/model/protocol.ts";
import { ProcessSweeper } from "../../../src/node/processSweeper.ts";
import { sessionThatEnds } from "../../../src/proof/fakes/sessions.ts";
import { stage } from "./stage.ts";

const eaten: number[] = [];

function eat(): void {
  try {
    for (;;) eaten.push(openSync("/dev/null", "r"));
  } catch {
    // Nothing is left.
  }
}

const say = (value: unknown) => process.stdout.write(JSON.stringify(value));

async function tryToSpawn(): Promise<void> {
  const on = await stage();
  const run = (task: string): Promise<AttemptEnd> =>
    new Promise((resolve) => {
      const input = { command: ["true"] };
      const assignment = {
        task: task as TaskId,
        attempt: 1,
        assignedAt: 1,
        name: task,
        kind: "exec",
        input,
        timeoutMs: null,
      };
      on.executor.start(assignment, sessionThatEnds(resolve));
    });
  // The watchdog and the tie are looked up once.
  await run("first");
  eat();
  const short = await run("short");
  for (const file of eaten.splice(0)) closeSync(file);
  const after = await run("after");
  say([{ outcome: short.outcome, code: short.error?.code, says: short.error?.message }, { outcome: after.outcome }]);
  await on.close();
}

async function sweep(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "outlast-exhausted-"));
  const mark = `OUTLAST_BOOT=${directory}`;
  const child = spawn("sleep", ["1000"], {
    env: { PATH: process.env["PATH"], OUTLAST_BOOT: directory },
    stdio: "ignore",
  });
  await new Promise((resolve) => child.once("spawn", resolve));
  const sweeper = new ProcessSweeper();
  await sweeper.killAll({ marks: ["OUTLAST_BOOT=nobody"], group: null, since: null });
  eat();
  const result = await sweeper.killAll({ marks: [mark], group: null, since: null });
  for (const file of eaten.splice(0)) closeSync(file);
  child.kill("SIGKILL");
  rmSync(directory, { recursive: true });
  say(result);
}

await (process.argv[2] === "sweep" ? sweep() : tryToSpawn());
