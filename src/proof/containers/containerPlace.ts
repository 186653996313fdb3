/** Containers as the place of a run: MongoDB in one of its own, and the promise that only masters reach it. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { LocalFailure } from "../../cli/failure.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { until } from "../cluster/until.ts";
import { type Check, result } from "../demo/check.ts";
import type { RunPlace } from "../demo/place.ts";
import { ContainerHost } from "./containerHost.ts";
import { deployFolder, type Engine } from "./engine.ts";

const storeName = "mongodb";
const storePort = 27_017;
const storeReadyMsMax = 120_000;
const connectMsMax = 1_500;

/** Run inside of a container: exit code 0 if it can connect. */
const connectProgram = `
  const [host, port, ms] = process.argv.slice(1);
  const socket = require("node:net").connect({ host, port: Number(port) });
  socket.once("connect", () => process.exit(0)).once("error", () => process.exit(1));
  setTimeout(() => process.exit(1), Number(ms));
`;

/** Run inside of a master's container: prints the documents of the tasks as any client of MongoDB sees them. */
const readTasksProgram = `
  const { MongoClient } = require("/opt/outlast/node_modules/mongodb");
  MongoClient.connect(process.env.OUTLAST_STORE).then(async (client) => {
    for await (const task of client.db().collection("tasks").find().sort({ _id: 1 })) console.log(JSON.stringify(task));
    await client.close();
  });
`;

export class ContainerPlace implements RunPlace {
  readonly host: ContainerHost;
  readonly token: string;
  readonly #engine: Engine;
  readonly #storeAddress: string;
  /** A master that has run: the one that reads the store at the end. */
  #master: string | null = null;

  constructor(engine: Engine, token: string) {
    this.token = token;
    this.#engine = engine;
    this.#storeAddress = `${engine.environment["OUTLAST_STORE_SUBNET"] ?? "10.89.78"}.10`;
    this.host = new ContainerHost(engine, token);
  }

  async open(logDirectory: string, signal: AbortSignal): Promise<void> {
    await this.#engine.script("remove");
    const log = openSync(join(logDirectory, `${storeName}.log`), "a");
    const child = spawn(join(deployFolder, "start-mongodb"), ["--attach"], {
      // Ctrl-C in the terminal is for the run alone, which then ends the containers itself.
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...this.#engine.environment },
    });
    closeSync(log);
    let failure: string | null = null;
    child.once("error", (error) => (failure = error.message));
    child.once("exit", (code) => (failure = `exit code ${code}`));
    child.unref();
    await until(
      `${storeName} to be healthy`,
      storeReadyMsMax,
      () => {
        if (failure !== null)
          throw new LocalFailure(`${storeName} did not start (${failure}).`, `See ${logDirectory}.`);
        return this.#isHealthy(storeName);
      },
      signal,
    );
  }

  /** Each master reaches the store, and no worker does: the first shows that the second is not for want of a store. */
  async checks(cluster: Cluster): Promise<readonly Check[]> {
    const masters = new Set(cluster.masters.values());
    const up = cluster.names().filter((name) => cluster.isUp(name));
    this.#master = up.find((name) => masters.has(name)) ?? null;
    const problems: string[] = [];
    let workers = 0;
    for (const name of up) {
      const words = ["node", "-e", connectProgram, this.#storeAddress, String(storePort), String(connectMsMax)];
      const { code } = await this.#engine.inside(name, ...words);
      if (masters.has(name) && code !== 0) problems.push(`${name} cannot connect to ${storeName}, and should.`);
      if (!masters.has(name) && code === 0) problems.push(`${name} can connect to ${storeName}, and must not.`);
      if (!masters.has(name)) workers += 1;
    }
    const seen = `${workers} workers tried to connect, ${workers - problems.length} failed`;
    return [result("store-apart", "Only masters reach MongoDB", workers, seen, problems)];
  }

  async tasksText(): Promise<string | null> {
    if (this.#engine.environment["OUTLAST_STORE"]?.startsWith("sqlite:") === true) return null;
    if (this.#master === null) throw new LocalFailure("No master is up that could read the tasks.");
    const { code, stdout, stderr } = await this.#engine.inside(this.#master, "node", "-e", readTasksProgram);
    if (code !== 0) throw new LocalFailure(`The tasks cannot be read from ${storeName}: ${stderr.trim()}`);
    return stdout;
  }

  async close(): Promise<void> {
    await this.#engine.script("remove");
  }

  /** Asks the health check of the image; podman runs it on demand, docker tells what came of the last one. */
  async #isHealthy(process: string): Promise<boolean> {
    const name = this.#engine.nameOf(process);
    if (this.#engine.isPodman) return (await this.#engine.try("healthcheck", "run", name)).code === 0;
    const { stdout } = await this.#engine.try("inspect", "--format", "{{.State.Health.Status}}", name);
    return stdout.trim() === "healthy";
  }
}
