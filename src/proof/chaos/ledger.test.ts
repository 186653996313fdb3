/** The ledger of a run on a real disk: whole lines are read back as they were written, unfinished ones not at all. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import type { ExecInput } from "../../model/kinds/exec.ts";
import { toSpec } from "../../model/submission.ts";
import { SeededRandom } from "../cluster/random.ts";
import { ClientLedger, makeTaskLedger, readClientLedger, readTaskLedger } from "./ledger.ts";
import { Tail } from "./tail.ts";
import { drawTask } from "./tasks.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "outlast-ledger-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

test("a client's lines come back in order, but for one that was never finished", () => {
  const path = join(directory, "client-1.jsonl");
  const ledger = new ClientLedger(path, "client-1");
  ledger.write({ kind: "submit-invoke", call: 1, key: "k", tasks: [{ id: null, body: "{}" }] });
  ledger.write({ kind: "submit-ok", call: 1, ids: ["a"] });
  ledger.close();
  appendFileSync(path, '{"kind":"submit-fail","call":2');
  expect(readClientLedger(path)).toMatchObject([
    { session: "client-1", kind: "submit-invoke", call: 1 },
    { session: "client-1", kind: "submit-ok", ids: ["a"] },
  ]);
});

test("a file that is not there has no lines", () => {
  expect(readTaskLedger(join(directory, "none"))).toEqual([]);
});

test("a tail gives each line once, when it is whole", () => {
  const path = join(directory, "log");
  const tail = new Tail(path);
  expect(tail.lines()).toEqual([]);
  appendFileSync(path, "one\ntw");
  expect(tail.lines()).toEqual(["one"]);
  expect(tail.lines()).toEqual([]);
  appendFileSync(path, "o\nthree\n");
  expect(tail.lines()).toEqual(["two", "three"]);
});

describe("what clients submit", () => {
  const options = { mark: "m", execShare: 1, sleepMsMax: 30 };

  test("follows from the seed and would be taken by any master", () => {
    const draw = (seed: number) => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 300 }, (_, index) =>
        drawTask(random, `t-${index}`, 1_000_000, { ...options, ledgerPath: "/x", execShare: 0.5 }),
      );
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    for (const [index, task] of draw(1).entries())
      toSpec(task, { id: `t-${index}` as TaskId, fingerprint: null, now: 1_000_000 });
  });

  test.skipIf(process.platform === "win32")("writes its own lines when it is a command", () => {
    const ledgerPath = join(directory, "tasks.jsonl");
    makeTaskLedger(ledgerPath);
    const random = new SeededRandom(3);
    const plain = Array.from({ length: 50 }, () => drawTask(random, "a", 0, { ...options, ledgerPath })).find(
      (task) => task.name === "plain",
    );
    const { command, env } = plain!.input as unknown as ExecInput;
    const [program = "", ...given] = command ?? [];
    const marks = { OUTLAST_TASK: "a", OUTLAST_ATTEMPT: "2", OUTLAST_WORKER: "worker-1", OUTLAST_BOOT: "b" };
    execFileSync(program, given, { env: { ...process.env, ...env, ...marks } });
    expect(readFileSync(ledgerPath, "utf8").split("\n")).toHaveLength(3);
    const about = { task: "a", attempt: 2, worker: "worker-1", boot: "b" };
    expect(readTaskLedger(ledgerPath)).toMatchObject([
      { kind: "exec-start", ...about },
      { kind: "exec-end", ...about },
    ]);
  });
});
