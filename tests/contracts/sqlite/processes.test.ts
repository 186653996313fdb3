/** The SQLite store among real processes: several on one file, one that is killed, one whose disk fails. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { Entry, Store } from "../../../src/ports/store.ts";
import { created, TestJournal } from "../../../src/proof/contracts/storeJournal.ts";
import { useStoreFolder } from "./storeFolder.ts";

const current = useStoreFolder();
const script = fileURLToPath(new URL("appendingProcess.ts", import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Told {
  readonly opened?: string;
  readonly committed?: number;
  readonly crc?: number;
  readonly taken?: number;
  readonly unavailable?: string;
  readonly seq?: number;
}

interface Appender {
  readonly child: ChildProcess;
  /** Everything it said so far. */
  readonly told: Told[];
  /** It has ended, and everything it said was read. */
  readonly ended: Promise<unknown>;
}

/** Starts a process that begins as soon as it is told to; `onTold` hears each line. */
function startAppender(
  nonce: string,
  settings: { bytes: number; lastSeq: number; fileBlocksMax?: number },
  onTold: (told: Told[]) => void = () => {},
): Appender {
  const command = [process.execPath, script, current().path, nonce, String(settings.bytes), String(settings.lastSeq)];
  const limited = ["/bin/sh", "-c", `trap '' XFSZ; ulimit -f ${settings.fileBlocksMax}; exec "$@"`, "sh", ...command];
  const [program = "", ...rest] = settings.fileBlocksMax === undefined ? command : limited;
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const told: Told[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    told.push(JSON.parse(line) as Told);
    onTold(told);
  });
  return { child, told, ended: Promise.all([once(child, "exit"), once(lines, "close")]) };
}

/** Large entries come a few at a time. */
async function allEntries(store: Store): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const page = await store.readEntries(entries.length + 1, 10_000);
    if (page.length === 0) return entries;
    entries.push(...page);
  }
}

function committedBy({ told }: Appender): number[] {
  return told.flatMap(({ committed }) => committed ?? []);
}

describe("several processes on one file", () => {
  test("race to create it and for each slot, and every slot has one owner", async () => {
    const lastSeq = 600;
    const appenders = ["a", "b", "c"].map((nonce) => startAppender(nonce, { bytes: 100, lastSeq }));
    for (const { child } of appenders) child.stdin?.write("go\n");
    await Promise.all(appenders.map(({ ended }) => ended));

    const store = current().newStore();
    const { incarnation } = await store.open();
    expect(appenders.map(({ told }) => told[0])).toEqual(appenders.map(() => ({ opened: incarnation })));
    const entries = await store.readEntries(1, lastSeq + 1);
    expect(entries).toHaveLength(lastSeq);
    for (const [index, nonce] of ["a", "b", "c"].entries()) {
      const owned = entries.filter((entry) => entry.nonce === nonce).map((entry) => entry.seq);
      expect(appenders[index] && committedBy(appenders[index])).toEqual(owned);
    }
    // A race in which nobody lost would prove nothing.
    expect(appenders.some(({ told }) => told.some(({ taken }) => taken !== undefined))).toBe(true);
    expect(await store.verify()).toEqual([]);
  });
});

describe("a process that is killed with SIGKILL", () => {
  test("leaves everything that it acknowledged, and nothing that is half written", { timeout: 120_000 }, async () => {
    let acknowledged = new Map<number, number>();
    // Large entries make it likely that the fault falls into the middle of a write, small ones into a commit.
    for (const [round, { after, bytes }] of [
      { after: 1, bytes: 10 },
      { after: 40, bytes: 100 },
      { after: 7, bytes: 400_000 },
      { after: 25, bytes: 60_000 },
      { after: 300, bytes: 1_000 },
      { after: 13, bytes: 2_000_000 },
    ].entries()) {
      const appender = startAppender(`life-${round}`, { bytes, lastSeq: Number.MAX_SAFE_INTEGER }, (told) => {
        if (told.length === after + 1) appender.child.kill("SIGKILL");
      });
      appender.child.stdin?.write("go\n");
      await appender.ended;
      expect(appender.child.signalCode).toBe("SIGKILL");
      acknowledged = new Map([
        ...acknowledged,
        ...appender.told.flatMap(({ committed, crc }) =>
          committed === undefined ? [] : [[committed, crc ?? 0] as const],
        ),
      ]);

      const store = current().newStore();
      await store.open();
      const entries = await allEntries(store);
      const stored = new Map(entries.map(({ seq, crc }) => [seq, crc]));
      for (const [seq, crc] of acknowledged) expect(stored.get(seq)).toBe(crc);
      // The one entry that was on its way may have gone in without a word; it then stands there whole.
      expect(Math.max(...acknowledged.keys()) - entries.length).toBeGreaterThanOrEqual(-1);
      acknowledged = stored;
      expect(await store.verify()).toEqual([]);
      await store.close();
    }
  });
});

describe("a disk that fails", () => {
  test("is `io`; nothing is half written, and the same bytes go in once it works again", async () => {
    // The system refuses to let any file grow beyond 1 MiB: 2048 blocks of 512 bytes for sh.
    const appender = startAppender("a", { bytes: 30_000, lastSeq: 1_000, fileBlocksMax: 2048 });
    appender.child.stdin?.write("go\n");
    await appender.ended;
    const failed = appender.told.at(-1);
    expect(failed?.unavailable).toBe("io");

    const store = current().newStore();
    await store.open();
    const tail = await store.readTail();
    expect(tail?.seq).toBe((failed?.seq ?? 0) - 1);
    expect(committedBy(appender).at(-1)).toBe(tail?.seq);
    expect(await store.verify()).toEqual([]);
    expect(await store.append(new TestJournal(tail, "a").next(...created("after")))).toBe("committed");
  });
});
