/** One whole run: honest work all the while, refusals one by one, then everything at once, then quiet, and a judgement at the end. */
import type { Outlast } from "../../sdk/client.ts";
import { createClient } from "../../sdk/client.ts";
import { CaseMaker } from "./cases.ts";
import { fuzzQueues } from "./cast.ts";
import { type Finding, FindingList } from "./findings.ts";
import { HonestWork, honestPrefix } from "./honest.ts";
import { type LoopFigures, LoopWatch } from "./loopWatch.ts";
import { brokenLines } from "./masterLog.ts";
import { type MemorySample, MemoryWatch } from "./memoryWatch.ts";
import { ApiDocument } from "./operations.ts";
import { judge, type Offence } from "./oracle.ts";
import { type Observation, Player, type World } from "./player.ts";
import { shrink } from "./shrink.ts";
import { layAll, type Siege, type SiegeResult } from "./sieges.ts";
import type { Case } from "./steps.ts";
import { Witness } from "./witness.ts";

/** A real master and an honest worker, and all that can be known of them without asking them. */
export interface Target {
  readonly url: URL;
  readonly token: string | null;
  /** A worker of this name serves this queue, and nobody else knows of either. */
  readonly honestWorker: string;
  readonly honestQueue: string;
  /** Null while the master does not run. */
  masterPid(): number | null;
  /** All that the master has logged. */
  masterLog(): string;
  workerLog(): string;
  /** Has the master collect its garbage, so that what it holds afterwards is in use. */
  collectGarbage(): Promise<void>;
  /** Starts the master again if it has died. */
  revive(): Promise<void>;
  /** Stops everything and looks at what is left. @returns what is wrong, as sentences */
  finish(): Promise<readonly string[]>;
}

export interface CampaignOptions {
  readonly target: Target;
  readonly seed: number;
  /** Whichever comes first. */
  readonly casesMax: number;
  readonly msMax: number;
  readonly refusals: number;
  readonly isOverAtFirst: boolean;
  readonly sieges: readonly Siege[];
  /** Number of the first case. */
  readonly from: number;
  readonly onProgress: (line: string) => void;
}

export interface CampaignReport {
  readonly findings: readonly Finding[];
  readonly cases: number;
  readonly casesByName: ReadonlyMap<string, number>;
  /** Answers by `METHOD /path` and status. */
  readonly answers: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly refusals: number;
  readonly honest: number;
  readonly lateLogs: number;
  readonly loop: LoopFigures;
  readonly sieges: readonly SiegeResult[];
  readonly memory: readonly MemorySample[];
}

const clients = 6;
export const blockedMsMax = 200;
const witnessWaitMs = 3_000;
const shrinkTriesMax = 60;
const shrinkMsMax = 20_000;
/** Cases that are looked at again because the event loop stood still while they were played. */
const suspectsMax = 20;

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #world: World;
  readonly #client: Outlast;
  readonly #honest: HonestWork;
  readonly #loop: LoopWatch;
  readonly #findings = new FindingList();
  readonly #casesByName = new Map<string, number>();
  readonly #answers = new Map<string, Map<number, number>>();
  readonly #memory: MemoryWatch;
  /** What is being played at this moment. */
  readonly #playing = new Map<number, Case>();
  readonly #blockedWhile: ReadonlyMap<number, Case>[] = [];
  #refusals = 0;
  #cases = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
    const { target } = options;
    const { url, token, honestWorker, honestQueue } = target;
    this.#world = {
      url,
      token,
      names: new Map([
        ["honestWorker", honestWorker],
        ["epoch", "1"],
        ["session", "0.1"],
        ["assignedAttempt", "1"],
        ["assignedAt", "1"],
      ]),
    };
    this.#client = createClient({ masters: url.origin, ...(token === null ? {} : { token }) });
    this.#honest = new HonestWork({
      client: this.#client,
      queue: honestQueue,
      inFlight: 4,
      onTask: (id) => this.#world.names.set("honestTask", id),
    });
    this.#loop = new LoopWatch({
      url,
      token,
      pid: () => target.masterPid(),
      blockedMsMax,
      onBlocked: () => this.#blockedWhile.push(new Map(this.#playing)),
    });
    this.#memory = new MemoryWatch({
      pid: () => target.masterPid(),
      usedBytes: () => this.#loop.usedBytes(),
      collectGarbage: () => target.collectGarbage(),
    });
  }

  async run(): Promise<CampaignReport> {
    const { target } = this.#options;
    let sieges: readonly SiegeResult[] = [];
    try {
      sieges = await this.#hunt();
    } catch (error) {
      if (target.masterPid() !== null) {
        // What could not be judged must not be left running either.
        await target.finish();
        throw error;
      }
      await this.#noteDeath();
    }
    const loop = await this.#loop.stop();
    for (const offence of await this.#honest.stop()) this.#findings.add({ rule: "honest work hurt", message: offence });
    await this.#judgeLogs();
    for (const problem of await target.finish()) this.#findings.add({ rule: "bad end", message: problem });
    return {
      findings: this.#findings.all,
      cases: this.#cases,
      casesByName: this.#casesByName,
      answers: this.#answers,
      refusals: this.#refusals,
      honest: this.#honest.succeeded,
      lateLogs: this.#honest.late,
      loop,
      sieges,
      memory: this.#memory.samples,
    };
  }

  async #hunt(): Promise<readonly SiegeResult[]> {
    const { seed, onProgress } = this.#options;
    const document = await this.#readDocument();
    const maker = new CaseMaker(document, seed);
    this.#honest.start();
    this.#loop.start();
    await this.#memory.rest("before");
    await this.#refuseOneByOne(document, maker);
    onProgress(`${this.#refusals} refusals looked at one by one`);
    await this.#playAll(document, maker);
    onProgress(`${this.#cases} cases played`);
    const sieges = await this.#layAll();
    onProgress("calming down");
    await this.#calmDown();
    await this.#judgeBlocked();
    for (const message of await this.#memory.grown()) this.#findings.add({ rule: "not back to base", message });
    return sieges;
  }

  /** Plays one case, alone, and judges it: for a finding that is looked at again. */
  async replay(given: Case): Promise<readonly Offence[]> {
    return this.#play(await this.#readDocument(), -1, given);
  }

  async #readDocument(): Promise<ApiDocument> {
    const response = await fetch(new URL("/openapi.json", this.#world.url), { headers: this.#headers() });
    return new ApiDocument(await response.json());
  }

  #headers(): { [name: string]: string } {
    const { token } = this.#world;
    return token === null ? {} : { authorization: `Bearer ${token}` };
  }

  /** One client, one bad call after the other: whatever changes in the journal meanwhile has no other cause. */
  async #refuseOneByOne(document: ApiDocument, maker: CaseMaker): Promise<void> {
    const moving = new Set<string>([this.#options.target.honestWorker]);
    const isHonest = (id: string) => id.startsWith(honestPrefix);
    const witness = new Witness(this.#client, ({ id }) => isHonest(id) || moving.has(id));
    witness.start((await this.#client.status()).seq);
    try {
      for (let number = 0; number < this.#options.refusals && !this.#isOver; number++) {
        const given = maker.makeBadCall(number);
        let isRefused = false;
        for (const observation of await this.#observe(-1, given)) {
          for (const offence of this.#judge(document, observation)) this.#findings.add({ ...offence, case: given });
          const { received, path } = observation;
          isRefused = received.kind === "answer" && received.answer.status >= 400;
          // A worker that was let in will be given up some time.
          if (!isRefused) moving.add(path.split("/")[3] ?? "");
        }
        // What the call has set in motion, if only behind its answer, is committed before this.
        const mark = `${honestPrefix}-mark-${number}`;
        const changes = await witness.until(mark, () => this.#submitMark(mark), witnessWaitMs);
        if (!isRefused) continue;
        this.#refusals += 1;
        if (changes.length === 0) continue;
        const message = changes.map(({ kind, id }) => `${kind} ${id}`).join(", ");
        this.#findings.add({ rule: "refused but changed", message, case: given });
      }
    } finally {
      await witness.stop();
    }
  }

  #submitMark(id: string): Promise<unknown> {
    const { honestQueue: queue } = this.#options.target;
    return this.#client.submit({ id, queue, kind: "sleep", input: { seconds: 0 } });
  }

  async #playAll(document: ApiDocument, maker: CaseMaker): Promise<void> {
    const { casesMax, msMax, from, onProgress, target } = this.#options;
    const until = performance.now() + msMax;
    let next = from;
    let reportedAt = performance.now();
    const client = async (): Promise<void> => {
      while (next < from + casesMax && performance.now() < until && !this.#isOver) {
        const number = next++;
        const given = maker.make(number);
        const offences = await this.#play(document, number, given);
        this.#cases += 1;
        for (const offence of offences) await this.#note(document, number, given, offence);
        if (target.masterPid() === null) await this.#noteDeath(number, given);
        if (performance.now() - reportedAt > 10_000) {
          reportedAt = performance.now();
          onProgress(
            `${this.#cases} cases, ${this.#findings.all.length} findings, ${this.#honest.succeeded} honest tasks done`,
          );
        }
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  async #layAll(): Promise<readonly SiegeResult[]> {
    const { sieges, seed, target } = this.#options;
    const results = await layAll(sieges, this.#world, seed, () => target.masterPid());
    for (const { name, problems } of results) {
      for (const problem of problems) this.#findings.add({ rule: "siege", message: `${name}: ${problem}` });
    }
    return results;
  }

  get #isOver(): boolean {
    return this.#options.isOverAtFirst && this.#findings.all.length > 0;
  }

  async #play(document: ApiDocument, number: number, given: Case): Promise<readonly Offence[]> {
    this.#playing.set(number, given);
    this.#casesByName.set(given.name, (this.#casesByName.get(given.name) ?? 0) + 1);
    try {
      const observations = await this.#observe(number, given);
      return observations.flatMap((observation) => this.#judge(document, observation));
    } finally {
      this.#playing.delete(number);
    }
  }

  async #observe(number: number, given: Case): Promise<readonly Observation[]> {
    try {
      return await Player.play(this.#world, given);
    } catch (error) {
      // Nobody takes the connection: the master is dead, or full.
      if (this.#options.target.masterPid() === null) return [];
      this.#findings.add({
        rule: "no answer",
        message: `Case ${number} could not connect: ${String(error)}`,
        number,
        case: given,
      });
      return [];
    }
  }

  #judge(document: ApiDocument, observation: Observation): readonly Offence[] {
    const { received, method, path } = observation;
    if (received.kind === "answer") {
      const operation = document.match(method, path);
      const name =
        method === "" ? "(raw bytes)" : operation === null ? "(elsewhere)" : `${operation.method} ${operation.path}`;
      const statuses = this.#answers.get(name) ?? new Map<number, number>();
      statuses.set(received.answer.status, (statuses.get(received.answer.status) ?? 0) + 1);
      this.#answers.set(name, statuses);
    }
    // A master that has died answers nobody; its death is a finding of its own.
    if (received.kind !== "answer" && this.#options.target.masterPid() === null) return [];
    return judge(document, observation).map((offence) => ({
      ...offence,
      message: `${method} ${path.slice(0, 120)}: ${offence.message}`,
    }));
  }

  /** Keeps a finding in as small a form as it still shows in. */
  async #note(document: ApiDocument, number: number, given: Case, offence: Offence): Promise<void> {
    if (!this.#findings.isNew(offence)) return;
    const finding = this.#findings.add({ ...offence, number, case: given });
    let tries = 0;
    const isBad = async (candidate: Case) => {
      const offences = await this.#play(document, number, renamed(candidate, number, tries++));
      return offences.some(({ rule }) => rule === offence.rule);
    };
    if (await isBad(given)) finding.case = await shrink(given, isBad, shrinkTriesMax, shrinkMsMax);
  }

  async #noteDeath(number?: number, given?: Case): Promise<void> {
    const names = [...this.#playing.values(), ...(given === undefined ? [] : [given])].map(({ name }) => name);
    const place = { ...(number === undefined ? {} : { number }), ...(given === undefined ? {} : { case: given }) };
    this.#findings.add({
      rule: "master died",
      message: `It died while these were played: ${names.join(", ")}.`,
      ...place,
    });
    await this.#options.target.revive();
  }

  /** Ends what the cases have left, so that only what leaks stays. */
  async #calmDown(): Promise<void> {
    for (const queue of fuzzQueues) await this.#client.resume(queue).catch(() => {});
    const { honestQueue } = this.#options.target;
    const left: string[] = [];
    for await (const task of this.#client.iterate({ states: ["created", "running", "retrying", "killed"] })) {
      if (task.queue !== honestQueue) left.push(task.id);
    }
    const cancel = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) await this.#client.cancel(id).catch(() => {});
    };
    await Promise.all(Array.from({ length: 100 }, cancel));
  }

  /** A standstill counts if one of the cases of that moment shows it again, alone, and not just once. */
  async #judgeBlocked(): Promise<void> {
    const document = await this.#readDocument();
    const suspects = new Map<number, Case>();
    for (const cases of this.#blockedWhile) for (const [number, given] of cases) suspects.set(number, given);
    for (const [number, given] of [...suspects].slice(0, suspectsMax)) {
      const ms = await this.#blocksFor(document, given);
      if (ms <= blockedMsMax) continue;
      const message = `The event loop stood still for ${ms.toFixed(0)} ms (${given.name}).`;
      const finding = this.#findings.add({ rule: "event loop blocked", message, number, case: given });
      const isBad = async (candidate: Case) => (await this.#blocksFor(document, candidate)) > blockedMsMax;
      finding.case = await shrink(given, isBad, shrinkTriesMax, shrinkMsMax);
    }
  }

  /** The second longest of some standstills: the longest may be the machine's doing. */
  async #blocksFor(document: ApiDocument, given: Case): Promise<number> {
    const times: number[] = [];
    for (let time = 0; time < 4; time++) {
      await this.#loop.scrape();
      await this.#play(document, -1, given);
      times.push((await this.#loop.scrape()).leastMs);
    }
    return times.toSorted((a, b) => b - a)[1] ?? 0;
  }

  async #judgeLogs(): Promise<void> {
    const { target } = this.#options;
    for (const line of brokenLines(target.masterLog())) this.#findings.add({ rule: "broken inside", message: line });
    for (const line of brokenLines(target.workerLog()))
      this.#findings.add({ rule: "honest worker broken", message: line });
  }
}

/** With other names where the case has its own: what is left of the last try must not pass for the fault. */
function renamed(given: Case, number: number, tries: number): Case {
  const own = new RegExp(`\\b(f[slw]?-?${number})\\b`, "g");
  return JSON.parse(JSON.stringify(given).replace(own, `$1-${tries}`)) as Case;
}
