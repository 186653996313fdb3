/**
 * What the server of a MongoDB store does while a cluster waits: `node bench/mongodbIdle.ts [delayed tasks] [seconds]`. Puts delayed tasks in
 * through a real master, lets everything come to rest, and prints the server's CPU time and what was written.
 */

import { spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { TestServer } from "../scripts/mongodb/testServer.ts";
import { findFreePorts } from "../src/cli/freePort.ts";
import { created, TestJournal } from "../src/proof/contracts/storeJournal.ts";
import { MongodbStore } from "../src/stores/mongodb/store.ts";

const tasks = Number(process.argv[2] ?? 100_000);
const seconds = Number(process.argv[3] ?? 60);
const batch = 2_000;

const server = await TestServer.start();
const uri = server.uri();
try {
  const store = new MongodbStore({ uri, ids: { random: () => "bench" } });
  await store.open();
  const journal = new TestJournal();
  const startAt = Date.now() + 24 * 60 * 60 * 1000;
  const filledAt = performance.now();
  for (let start = 0; start < tasks; start += batch) {
    const ids = Array.from({ length: Math.min(batch, tasks - start) }, (_, index) => `delayed-${start + index}`);
    await store.append(journal.next(...ids.flatMap((id) => created(id, { startAt }))));
  }
  // Compaction waits for the view.
  await store.compact(Number.MAX_SAFE_INTEGER, 1);
  await store.close();
  console.log(`${tasks} delayed tasks put in, ${((performance.now() - filledAt) / 1000).toFixed(0)} s`);
  const [first = 0, second = 0] = await findFreePorts(2);
  const masters = [first, second].map((port, index) =>
    spawn(
      process.execPath,
      [
        "bin/outlast.js",
        "master",
        "--port",
        String(port),
        "--name",
        `m${index}`,
        "--log-level",
        "error",
        "--stop-on-stdin-end",
      ],
      { stdio: ["pipe", "ignore", "inherit"], env: { ...process.env, OUTLAST_STORE: uri } },
    ),
  );
  const lead = async () => {
    const response = await fetch(`http://127.0.0.1:${first}/v1/status`).catch(() => null);
    return response?.ok === true ? ((await response.json()) as { seq: number; leader: string | null }) : null;
  };
  while (((await lead())?.leader ?? null) === null) await setTimeout(500);
  // The leader's first entries, and the last writes of the view.
  await setTimeout(15_000);
  const before = { cpuMs: server.cpuMs(), seq: (await lead())?.seq ?? 0 };
  await setTimeout(seconds * 1_000);
  const after = { cpuMs: server.cpuMs(), seq: (await lead())?.seq ?? 0 };
  const share = (after.cpuMs - before.cpuMs) / (seconds * 1_000);
  console.log(
    `idle, a leader and a standby: the server uses ${(share * 100).toFixed(2)} % of a core; ${after.seq - before.seq} entries written`,
  );
  for (const master of masters) master.stdin.end();
} finally {
  await server.stop();
}
