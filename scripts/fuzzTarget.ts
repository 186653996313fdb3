/** What the fuzzer shoots at: a real master on SQLite and one honest worker, as processes on this machine's own address only. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Cluster } from "../src/proof/cluster/cluster.ts";
import { until } from "../src/proof/cluster/until.ts";
import type { Target } from "../src/proof/fuzz/campaign.ts";

const program = fileURLToPath(new URL("../bin/outlast.js", import.meta.url));
const leader = "leader";
const standby = "standby";
const worker = "steady";
const inspectorMsMax = 10_000;

export interface TargetOptions {
  /** For logs and data. */
  readonly directory: string;
  readonly hasToken: boolean;
  /** Shoots at a standby, which passes on to a leader behind it what is not its own. */
  readonly isStandby: boolean;
}

export async function startTarget({ directory, hasToken, isStandby }: TargetOptions): Promise<Target> {
  const token = hasToken ? randomBytes(24).toString("base64url") : null;
  const masters = isStandby ? [leader, standby] : [leader];
  const master = masters.at(-1) ?? leader;
  const honestQueue = `q-${randomBytes(6).toString("hex")}`;
  const cluster = await Cluster.create({
    directory,
    capacity: 4,
    masters,
    // The master's inspector is opened to have its garbage collected; several runs must not want the same port.
    environment: { NODE_OPTIONS: "--inspect-port=127.0.0.1:0", ...(token === null ? {} : { OUTLAST_TOKEN: token }) },
    workerArguments: ["--queues", honestQueue],
  });
  for (const name of [...masters, worker]) await cluster.start(name);
  const logOf = (name: string) =>
    existsSync(cluster.logPath(name)) ? readFileSync(cluster.logPath(name), "utf8") : "";
  return {
    url: new URL(cluster.addressOf(master)),
    token,
    honestWorker: worker,
    honestQueue,
    masterPid: () => cluster.pid(master),
    masterLog: () => masters.map(logOf).join("\n"),
    workerLog: () => logOf(worker),
    collectGarbage: () => collectGarbage(cluster.pid(master), () => logOf(master)),
    revive: async () => {
      for (const name of masters) if (!cluster.isUp(name)) await cluster.start(name);
    },
    finish: async () => {
      const problems = cluster.lives
        .filter(({ exit }) => exit !== null)
        .map(({ process, exit }) => `${process} ended in the middle of the run (${exit}).`);
      await cluster.stopAll();
      for (const { process, exit } of cluster.lives) {
        if (exit !== "exit code 0") problems.push(`${process} did not end as it should when it was asked to: ${exit}.`);
      }
      return [...new Set([...problems, ...(await examine(cluster.masterData))])];
    },
  };
}

/** As the runtime would in its own time: what is left afterwards is in use. */
async function collectGarbage(pid: number | null, log: () => string): Promise<void> {
  if (pid === null) return;
  const address = () => [...log().matchAll(/^Debugger listening on (ws:\/\/\S+)$/gm)].at(-1)?.[1] ?? null;
  if (address() === null) process.kill(pid, "SIGUSR1");
  const url = await until("the master's inspector", inspectorMsMax, address);
  const socket = new WebSocket(url);
  try {
    await once(socket, "open");
    for (const id of [1, 2]) {
      socket.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
      await once(socket, "message");
    }
  } finally {
    socket.close();
  }
}

interface DoctorReport {
  readonly findings: readonly { readonly verdict: string; readonly what: string; readonly message: string }[];
}

/** Has the doctor look at the store that was left behind. */
async function examine(data: string): Promise<string[]> {
  const output = await run(["doctor", "--data", data, "--json"]);
  const { findings } = JSON.parse(output) as DoctorReport;
  const ofStore = findings.filter(({ what }) => what === "store" || what === "data");
  if (!ofStore.some(({ what }) => what === "store")) return ["The doctor did not look at the store."];
  return ofStore.filter(({ verdict }) => verdict !== "good").map(({ what, message }) => `doctor, ${what}: ${message}`);
}

function run(commandLine: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(process.execPath, [program, ...commandLine], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.once("error", reject);
  child.once("close", () => resolve(output));
  return promise;
}
