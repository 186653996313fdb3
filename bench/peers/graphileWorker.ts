/** Graphile Worker on a PostgreSQL with its own defaults: every commit is synced. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeWorkerUtils, type WorkerUtils } from "graphile-worker";
import pg from "pg";
import { findFreePort } from "../../src/cli/freePort.ts";
import { familyCpuMs } from "../processFigures.ts";
import { type Contender, end, startWorkers, waitFor } from "./contender.ts";

export async function graphileWorker(): Promise<Contender> {
  const port = await findFreePort();
  const url = `postgres://bench@127.0.0.1:${port}/postgres`;
  const who = ordinaryUser();
  let server: ChildProcess | null = null;
  let utils: WorkerUtils | null = null;
  let workers: readonly ChildProcess[] = [];
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  // Its server is shot at the end.
  const ignore = () => {};
  pool.on("error", ignore);
  pool.on("connect", (client) => client.on("error", ignore));
  return {
    name: "Graphile Worker 0.18",
    durability: "PostgreSQL, fsync on, synchronous_commit on",
    async start(directory) {
      if (who.uid !== undefined && who.gid !== undefined) chownSync(directory, who.uid, who.gid);
      const data = join(directory, "data");
      execFileSync(programOf("initdb"), ["-D", data, "-U", "bench", "-A", "trust"], { ...who, stdio: "ignore" });
      const where = ["-D", data, "-p", String(port), "-k", directory, "-h", "127.0.0.1"];
      const settings = ["-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"];
      server = spawn(programOf("postgres"), [...where, ...settings], { ...who, stdio: ["ignore", "pipe", "pipe"] });
      await waitFor(server, "ready to accept connections");
      utils = await makeWorkerUtils({ pgPool: pool });
      await utils.migrate();
      workers = await startWorkers("graphile-worker", url);
    },
    async submit(tasks) {
      await utils?.addJobs(Array.from({ length: tasks }, () => ({ identifier: "no-op", payload: { seconds: 0 } })));
    },
    async submitTimed(timing) {
      await utils?.addJob("timed", timing);
    },
    cpuMs: () => [server, ...workers].reduce((sum, child) => sum + familyCpuMs(child?.pid ?? 0), 0),
    async countOpen() {
      const { rows } = await pool.query<{ count: string }>("SELECT count(*) FROM graphile_worker._private_jobs");
      return Number(rows[0]?.count);
    },
    async stop() {
      await Promise.all(workers.map(end));
      await utils?.release();
      await pool.end();
      if (server !== null) await end(server);
    },
  };
}

/** PostgreSQL refuses to run as root. */
function ordinaryUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/** Debian keeps the server's programs out of the path. */
function programOf(name: string): string {
  const root = "/usr/lib/postgresql";
  const newest = readdirSync(root).sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? name : join(root, newest, "bin", name);
}
