/** A master and workers of this command's own, restarted when they die; they end with it, and leave nothing behind. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { workerOf } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { findFreePort } from "../freePort.ts";
import { Supervised } from "../up/supervised.ts";

const master = "master";

/** What workers must be, to be given the tasks of the job. */
interface ServedJob {
  readonly queue?: string;
  readonly requires?: readonly string[];
}

export class OwnCluster {
  readonly address: string;
  readonly #master: Supervised;
  readonly #workers: readonly Supervised[];
  readonly #folder: string;

  private constructor(address: string, folder: string, master: Supervised, workers: readonly Supervised[]) {
    this.address = address;
    this.#folder = folder;
    this.#master = master;
    this.#workers = workers;
  }

  /** Resolves when its master answers, or should have long ago: then whoever asks it hears why. */
  static async start(workers: number, { queue, requires = [] }: ServedJob): Promise<OwnCluster> {
    const folder = await mkdtemp(join(tmpdir(), "outlast-map-reduce-"));
    const port = await findFreePort();
    const address = `http://${defaults.address}:${port}`;
    const shared = ["--data", folder, "--stop-on-stdin-end", "--log-level", "error"];
    const env = { ...process.env };
    for (const name of ["OUTLAST_MASTERS", "OUTLAST_DATA", "OUTLAST_STORE", "OUTLAST_BLOBS", "OUTLAST_TOKEN"])
      delete env[name];
    const { promise: isReady, resolve: ready } = Promise.withResolvers<void>();
    const supervise = (name: string, ownArguments: readonly string[]) =>
      new Supervised({
        name,
        arguments: [...ownArguments, ...shared],
        env,
        onLine: (_stream, line) => process.stderr.write(`${name}: ${line}\n`),
        onReady: () => {
          if (name === master) ready();
        },
        isRestarted: () => true,
        onExit: () => {},
      });
    const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
    // A worker has the label of its name by itself.
    const labels = requires.filter((label) => workerOf([label]) === null);
    const served = [
      ...(queue === undefined ? [] : ["--queues", queue]),
      ...(labels.length === 0 ? [] : ["--labels", labels.join(",")]),
    ];
    const workerProcesses = names.map((name) =>
      supervise(name, [
        ...["worker", "--masters", address, "--name", name, "--capacity", "1"],
        ...["--jobs-use-s3", "--jobs-warm", ...served],
      ]),
    );
    const masterProcess = supervise(master, ["master", "--name", master, "--port", String(port)]);
    // All at once: workers find their master once it is there.
    for (const one of [masterProcess, ...workerProcesses]) one.start();
    await Promise.race([isReady, setTimeout(defaults.clientRetryForMs, undefined, { ref: false })]);
    return new OwnCluster(address, folder, masterProcess, workerProcesses);
  }

  /** Workers first: one that has yet to hear that its last result has arrived waits for a master. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop(defaults.stopGraceMs)));
    await this.#master.stop(defaults.stopGraceMs);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
