/** Reading evidence: the logs of workers and masters, the kills in a journal. */
import { expect, test } from "vitest";
import { readLedger } from "../cluster/attemptLines.ts";
import { readLeaderFacts } from "../cluster/leaderLines.ts";
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
  const base = { epoch: 1, failures: 0, task: "a", host: null, boot: null };
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

test("who leads is read from the lines of masters and workers", () => {
  const text = [
    '{"level":"info","time":1000,"msg":"leading","epoch":3,"seq":7}',
    '{"level":"info","time":1001,"msg":"attached to a master","epoch":3,"session":"3.1"}',
    '{"level":"info","time":1002,"msg":"deposed: another master leads now; all memory is dropped","epoch":3}',
    '{"level":"info","time":1003,"msg":"lead',
  ].join("\n");
  expect(readLeaderFacts(text, "x", 2)).toEqual([
    { kind: "leading", at: 1000, epoch: 3, process: "x", life: 2 },
    { kind: "attached", at: 1001, epoch: 3, process: "x", life: 2 },
  ]);
});
