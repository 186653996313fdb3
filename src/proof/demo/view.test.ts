/** What a run looks like to whoever watches it. */
import { expect, test } from "vitest";
import { plain } from "../../cli/colour.ts";
import type { LedgerFact } from "../cluster/attemptLines.ts";
import type { Life } from "../cluster/lives.ts";
import { lookAt, viewLine, viewLines } from "./view.ts";

const life = { exit: null, cause: null, endedAt: null } as const;
const lives: Life[] = [
  { ...life, process: "master", role: "master", number: 1, startedAt: 0, readyAt: 100 },
  {
    ...life,
    process: "worker-1",
    role: "worker",
    number: 1,
    startedAt: 0,
    readyAt: 100,
    endedAt: 4000,
    cause: "killed",
    exit: "SIGKILL",
  },
  { ...life, process: "worker-2", role: "worker", number: 1, startedAt: 0, readyAt: 100 },
  {
    ...life,
    process: "worker-3",
    role: "worker",
    number: 1,
    startedAt: 0,
    readyAt: 100,
    endedAt: 4500,
    cause: "killed",
    exit: "SIGKILL",
  },
  { ...life, process: "worker-3", role: "worker", number: 2, startedAt: 5900, readyAt: null },
];

function started(task: string, process: string, at: number): LedgerFact {
  return { kind: "started", at, task, attempt: 1, boot: "b", outcome: null, process, life: 1 };
}

const view = lookAt({
  startedAt: 0,
  now: 6000,
  sleepMs: new Map([
    ["a", 1000],
    ["b", 2000],
    ["c", 1000],
    ["d", 1000],
  ]),
  states: new Map([
    ["a", "success"],
    ["b", "running"],
    ["c", "killed"],
    ["d", "created"],
  ]),
  ledger: [
    started("a", "worker-2", 1000),
    { ...started("a", "worker-2", 2000), kind: "ended", outcome: "success" },
    started("b", "worker-2", 5000),
    started("c", "worker-1", 3900),
  ],
  lives,
  leader: { process: "master", epoch: 1, at: 50 },
});

test("the block shows the bar, who is up, who is down, and what runs", () => {
  expect(viewLines(view, plain, 100)).toEqual([
    "",
    "  ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 1/4  1 running · 1 waiting · 1 killed  6s",
    "  master    ● leads, epoch 1",
    "  worker-1  ✗ down for 2s",
    "  worker-2  ● b ▅",
    "  worker-3  … starting",
  ]);
});

test("without a terminal one line says the same", () => {
  expect(viewLine(view)).toBe("   6.0 s  1/4 success · 1 running · 1 waiting · 1 killed · down: worker-1");
});
