/** A stage for one test: a real cluster in a folder of its own, a client for it, and what its witnesses say. Nothing outlives it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { defaults } from "../../src/model/limits.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import type { LedgerFact } from "../../src/proof/cluster/attemptLines.ts";
import { Cluster, type ClusterOptions } from "../../src/proof/cluster/cluster.ts";
import { until } from "../../src/proof/cluster/until.ts";
import type { Check } from "../../src/proof/demo/check.ts";
import { checkAll } from "../../src/proof/demo/checks.ts";
import type { JournalChange } from "../../src/proof/demo/evidence.ts";
import { readDocuments, readJournal } from "../../src/proof/demo/witness.ts";
import { createClient, type Outlast } from "../../src/sdk/client.ts";

/** Longer than a process that goes on holds the store's file, and too short for its lease to run out meanwhile. */
const writeMsMax = 250;
const pausesMax = 20;

/** Everything that a test waits for must come about within this; what takes longer names its own bound. */
const waitMsMax = 30_000;

export class Scene {
  readonly directory: string;
  readonly cluster: Cluster;
  /** Goes on trying while the master is away. */
  readonly client: Outlast;
  readonly #asked: { id: string; sleepMs: number; acknowledgedAt: number }[] = [];

  constructor(directory: string, cluster: Cluster) {
    this.directory = directory;
    this.cluster = cluster;
    this.client = createClient({ masters: cluster.address, retryForMs: waitMsMax });
  }

  async sleepTask(id: string, seconds: number): Promise<void> {
    await this.client.submit({ id, kind: "sleep", input: { seconds } });
    this.#asked.push({ id, sleepMs: seconds * 1000, acknowledgedAt: Date.now() });
  }

  until<Value>(
    what: string,
    look: () => Value | false | null | undefined | Promise<Value | false | null | undefined>,
    msMax = waitMsMax,
  ): Promise<Value> {
    return until(what, msMax, look);
  }

  /** Waits until a worker has written down that it started this attempt. */
  started(task: string, attempt = 1): Promise<LedgerFact> {
    return this.until(`${task}/${attempt} to start`, () => this.#fact("started", task, attempt));
  }

  /** Waits until a worker has written down that this attempt came to its end. */
  ended(task: string, attempt = 1): Promise<LedgerFact> {
    return this.until(`${task}/${attempt} to end`, () => this.#fact("ended", task, attempt));
  }

  starts(task: string): LedgerFact[] {
    return this.cluster.ledger().filter((fact) => fact.kind === "started" && fact.task === task);
  }

  /**
   * SIGSTOP at a moment when the process is not in the middle of a write: it would hold the store's file, so that no other
   * master could write to it either until it goes on or dies.
   */
  pauseBetweenWrites(process: string): void {
    using database = new DatabaseSync(join(this.directory, "data", defaults.storeFile), { timeout: writeMsMax });
    for (let tries = 0; tries < pausesMax; tries += 1) {
      this.cluster.signal(process, "SIGSTOP");
      try {
        database.exec("BEGIN IMMEDIATE; ROLLBACK");
        return;
      } catch {
        this.cluster.signal(process, "SIGCONT");
      }
    }
    throw new Error(`${process} was in the middle of a write each of ${pausesMax} times.`);
  }

  success(task: string): Promise<TaskDocument> {
    return this.until(`${task} to be success`, async () => {
      const document = await this.client.get(task);
      return document.state === "success" && document;
    });
  }

  /** All output of a task's last attempt, once the task has ended. */
  async logOf(task: string): Promise<string> {
    const pieces: Uint8Array[] = [];
    for await (const item of this.client.follow(task)) if (item.kind === "log") pieces.push(item.bytes);
    return Buffer.concat(pieces).toString();
  }

  async journal(): Promise<readonly JournalChange[]> {
    return (await readJournal(this.client)).changes;
  }

  /** Every promise, checked as the demo checks them; those that are broken. */
  async broken(): Promise<Check[]> {
    const { changes, markers } = await readJournal(this.client);
    const checks = checkAll({
      asked: this.#asked,
      documents: await readDocuments(this.client),
      journal: changes,
      markers,
      ledger: this.cluster.ledger(),
      leaderFacts: this.cluster.leaderFacts(),
      lives: this.cluster.lives,
      masters: this.cluster.masters,
    });
    return checks.filter((check) => !check.holds);
  }

  #fact(kind: LedgerFact["kind"], task: string, attempt: number): LedgerFact | undefined {
    return this.cluster.ledger().find((fact) => fact.kind === kind && fact.task === task && fact.attempt === attempt);
  }
}

/** Plays a test on a fresh cluster with these processes started; its folder stays if the test fails. */
export async function scene(
  processes: readonly string[],
  play: (scene: Scene) => Promise<void>,
  options: Partial<ClusterOptions> = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "outlast-e2e-"));
  const cluster = await Cluster.create({ directory, capacity: 1, ...options });
  try {
    await Promise.all(processes.map((process) => cluster.start(process)));
    await play(new Scene(directory, cluster));
  } catch (error) {
    throw new Error(`The logs of all processes are in ${directory}.`, { cause: error });
  } finally {
    await cluster.killAll();
  }
  rmSync(directory, { recursive: true });
}
