/** What the fuzzer shoots at: a real master on SQLite and one honest worker, as processes on this machine's own address only. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Cluster } from "../src/cli/cluster/cluster.ts";
import type { Target } from "../src/testing/fuzz/campaign.ts";

const program = fileURLToPath(new URL("../bin/outlast.js", import.meta.url));
const master = "master";
const worker = "steady";

/** @param directory for logs and data */
export async function startTarget(directory: string, hasToken: boolean): Promise<Target> {
  const token = hasToken ? randomBytes(24).toString("base64url") : null;
  const honestQueue = `q-${randomBytes(6).toString("hex")}`;
  const cluster = await Cluster.create({
    directory,
    capacity: 4,
    environment: token === null ? {} : { OUTLAST_TOKEN: token },
    workerArguments: ["--queues", honestQueue],
  });
  await cluster.start(master);
  await cluster.start(worker);
  const logOf = (name: string) =>
    existsSync(cluster.logPath(name)) ? readFileSync(cluster.logPath(name), "utf8") : "";
  return {
    url: new URL(cluster.address),
    token,
    honestWorker: worker,
    honestQueue,
    masterPid: () => cluster.pid(master),
    masterLog: () => logOf(master),
    workerLog: () => logOf(worker),
    revive: async () => {
      if (!cluster.isUp(master)) await cluster.start(master);
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
