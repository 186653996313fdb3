/** Lies about masters, epochs and those who follow them, for the checkers that must see each one. */
import type { TaskId } from "../../src/model/ids.ts";
import type { MasterMemory } from "../../src/proof/checkers/ledger.ts";
import { forgottenChild } from "./familyLies.ts";
import {
  boot,
  goodHistory,
  life,
  MadeHistory,
  submitted,
  task,
  usedAgain,
  worker,
  workerRecord,
} from "./madeHistory.ts";

const marker = { kind: "marker", address: "http://master-2:7070", collections: {} } as const;
const forget = { kind: "forget-task", id: task, queue: "default", state: "success" } as const;
const event = { kind: "event", session: "follower-1", epoch: 1, text: 0 } as const;
export const death = { kind: "crash", node: "master-1", life, wasLeading: true } as const;
export const idleMaster = {
  life: "master-2#1",
  isLeader: false,
  seq: 0,
  tasksByState: {},
  inboxLength: 0,
  openCalls: [],
  openStreams: 0,
  timers: 5,
};

function withMaster(memory: Partial<MasterMemory>): MadeHistory {
  const made = goodHistory();
  made.masters = [{ ...idleMaster, ...memory }];
  return made;
}

/** Two masters that have been up for long, one of which leads. */
export function led(): MadeHistory {
  return new MadeHistory()
    .add({ kind: "start", node: "master-1", life })
    .add({ kind: "start", node: "master-2", life: "master-2#1" })
    .add({ kind: "leads", life, epoch: 1 })
    .later(20_000);
}

export const masterLies: { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } } = {
  I15: {
    "a deletion is acknowledged before it is in the store": () =>
      goodHistory().add({ kind: "acked-delete", life, task }),
    "a task of an id that is used again is acknowledged twice as new": () =>
      usedAgain()
        .add({ kind: "acked-submit", life, ids: [task], areNew: [true] })
        .add({ kind: "acked-submit", life, ids: [task], areNew: [true] }),
    "a submit is acknowledged too early": () => submitted().add({ kind: "acked-submit", life, ids: ["t2" as TaskId] }),
    "a cancel is acknowledged too early": () => submitted().add({ kind: "acked-cancel", life, asked: 0, task }),
    "a cancel is acknowledged by one from before the task was opened again": () => {
      const made = submitted().status({ state: "cancelled" }).status({ state: "created" });
      return made.add({ kind: "acked-cancel", life, asked: (made.entries.at(-1)?.order ?? 0) + 1, task });
    },
    "a retry by a filter is acknowledged and never happens": () => {
      const made = goodHistory();
      return made.add({ kind: "acked-retry", life, asked: (made.entries.at(-1)?.order ?? 0) + 1, task });
    },
    "a pause is acknowledged too early": () =>
      submitted().add({ kind: "acked-queue", life, queue: "default", isPaused: true }),
    "a drain is acknowledged too early": () => submitted().add({ kind: "acked-drain", life, worker }),
    "a result is acknowledged too early": () =>
      submitted().status({ state: "running", attempt: 1 }).verdict(1, "committed"),
  },
  I16: {
    "an assignment is sent too early": () =>
      submitted().add({ kind: "sent-assign", life, worker, boot, task, attempt: 1 }),
    "a current attempt is aborted": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .add({ kind: "sent-abort", life, worker, boot, task, attempt: 1, reason: "cancelled" }),
    "a change is told too early": () => submitted().add({ kind: "sent-change", life, seq: 99, epoch: 1, text: 0 }),
    "a standby is told of an entry too early": () =>
      submitted().add({ kind: "sent-beat", life, epoch: 1, beat: 1, seq: 99, stored: { epoch: 1, beat: 1 } }),
    "a standby is told of a lease too early": () =>
      submitted().add({ kind: "sent-beat", life, epoch: 1, beat: 2, seq: 1, stored: { epoch: 1, beat: 1 } }),
  },
  I13: {
    "an epoch without a marker": () => goodHistory().entryOf({ epoch: 2 }),
    "an epoch that begins twice": () => goodHistory().entry(marker),
    "two authors of one epoch": () => goodHistory().entryOf({ nonce: "another" }),
    "two lives in one epoch": () => goodHistory().entryOf({ life: "master-2#1" }),
  },
  I14: {
    "an entry of a leader of the past": () => goodHistory().entryOf({ epoch: 2, nonce: "another" }, marker).entry(),
  },
  I17: {
    "an entry that is told otherwise": () =>
      goodHistory().add({ kind: "sent-change", life, seq: 2, epoch: 1, text: 0 }),
    "an entry of another epoch": () => goodHistory().add({ kind: "sent-change", life, seq: 2, epoch: 2, text: 0 }),
  },
  I19: {
    "an attempt for a leader of the past": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .add({ kind: "told-epoch", worker, boot, epoch: 2 })
        .execStart(1),
  },
  I38: {
    "a state that never was": () =>
      goodHistory().add({ kind: "read", asked: 1e9, session: "client-1", life, task, state: "failed", attempt: 1 }),
    "a step back": () => {
      const read = { kind: "read", asked: 1e9, session: "client-1", life, task } as const;
      return goodHistory()
        .add({ ...read, state: "success", attempt: 1 })
        .add({ ...read, state: "running", attempt: 1 });
    },
  },
  I39: {
    "somebody who is told nothing more": () => {
      const made = goodHistory().later(60_000).hear();
      made.followers.set("follower-1", 1);
      return made;
    },
    "a gap": () =>
      goodHistory()
        .add({ ...event, seq: 2 })
        .add({ ...event, seq: 4 }),
    "a repeat": () =>
      goodHistory()
        .add({ ...event, seq: 2 })
        .add({ ...event, seq: 2 }),
    "something untrue": () => goodHistory().add({ ...event, seq: 2 }),
  },
  I40: {
    "inputs that wait for ever": () => withMaster({ inboxLength: 1 }),
    "a call that is never answered": () => withMaster({ openCalls: ["submit"] }),
    "streams that stay open": () => withMaster({ openStreams: 50 }),
    "timers that pile up": () => withMaster({ timers: 100 }),
    "a dead worker that is never forgotten": () => {
      const made = withMaster({}).entry({
        kind: "record",
        collection: "workers",
        id: worker,
        value: workerRecord({ state: "lost" }),
      });
      made.conditions = { ...made.conditions, goneWorkerKeptMs: 1_000 };
      return made.later(120_000).entry(marker);
    },
    "entries that go before a standby has read them": () => {
      const notes = [{ name: "master-2", seq: 3, ageMs: 2_000, knownMs: 20_000 }];
      return new MadeHistory().later(30_000).add({ kind: "compacted", node: "master-1", life, firstSeq: 9, notes });
    },
    "a task that is forgotten too early": () => goodHistory().entry(forget),
    "a task that is forgotten before its end": () => {
      const made = submitted().entry(forget);
      made.conditions = { ...made.conditions, retention: { retentionMs: 0, finishedTasksMax: 0 } };
      return made;
    },
    "a child that is forgotten before its root has ended": () =>
      forgottenChild({ ageMs: null, childEndedAt: -100_000 }),
    "a child that is forgotten too soon after its root's end": () =>
      forgottenChild({ ageMs: 30_000, childEndedAt: -100_000 }),
    "a task that is forgotten twice": () => {
      const made = goodHistory();
      made.conditions = { ...made.conditions, retention: { retentionMs: 0, finishedTasksMax: 0 } };
      return made.entry(forget).entry(forget);
    },
  },
};
