/** Reading evidence: a worker's log, the kills in a journal, the times without a master. */
import { expect, test } from "vitest";
import { readLedger } from "../cluster/attemptLines.ts";
import { type Life, outages } from "../cluster/lives.ts";
import { type JournalChange, killedAttempts } from "./evidence.ts";

test("the ledger is read from log lines, and torn or foreign lines say nothing", () => {
  const text = [
    "outlast worker worker-1 ready",
    '{"level":30,"time":1000,"msg":"attempt started","task":"a","attempt":1,"boot":"b1"}',
    '{"level":30,"time":1001,"msg":"attached","epoch":1}',
    '{"level":30,"time":1500,"msg":"attempt ended","task":"a","attempt":1,"boot":"b1","outcome":"success"}',
    '{"level":30,"time":1600,"msg":"attempt started","task":"a","att',
  ].join("\n");
  expect(readLedger(text, "worker-1", 2)).toEqual([
    { kind: "started", at: 1000, task: "a", attempt: 1, boot: "b1", outcome: null, process: "worker-1", life: 2 },
    { kind: "ended", at: 1500, task: "a", attempt: 1, boot: "b1", outcome: "success", process: "worker-1", life: 2 },
  ]);
});

test("a kill is seen in the journal also when the rerun stands in the same entry", () => {
  const base = { epoch: 1, task: "a", host: null, boot: null };
  const changes: JournalChange[] = [
    { ...base, seq: 1, at: 1, state: "created", attempt: 0, kills: 0 },
    { ...base, seq: 2, at: 2, state: "running", attempt: 1, kills: 0 },
    { ...base, seq: 3, at: 3, state: "running", attempt: 2, kills: 1 },
    { ...base, seq: 4, at: 4, state: "killed", attempt: 2, kills: 2 },
    { ...base, seq: 5, at: 5, state: "running", attempt: 3, kills: 2 },
  ];
  expect(killedAttempts(changes)).toEqual([
    { task: "a", attempt: 1, at: 3 },
    { task: "a", attempt: 2, at: 4 },
  ]);
});

test("an outage lasts from the death of a master to the first ready one after it", () => {
  const base = { process: "master", role: "master", exit: null } as const;
  const lives: Life[] = [
    { ...base, number: 1, startedAt: 0, readyAt: 10, endedAt: 100, cause: "killed" },
    // Shot before it was ready.
    { ...base, number: 2, startedAt: 150, readyAt: null, endedAt: 160, cause: "killed" },
    { ...base, number: 3, startedAt: 200, readyAt: 230, endedAt: 900, cause: "stopped" },
  ];
  expect(outages(lives)).toEqual([
    { from: 100, to: 230 },
    { from: 160, to: 230 },
  ]);
});
