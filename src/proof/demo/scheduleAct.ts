/** The schedule act of the demonstration: a schedule with a tick each second, while one leader after the other is shot, mostly on a tick. */
import { setTimeout } from "node:timers/promises";
import { createClient } from "../../sdk/client.ts";
import { SeededRandom } from "../cluster/random.ts";
import { until } from "../cluster/until.ts";
import { type ActOptions, runAct, type Stage } from "./act.ts";
import { checkSchedule } from "./scheduleChecks.ts";
import { type Journal, readDocuments, readJournal } from "./witness.ts";

export interface ScheduleActOptions extends ActOptions {
  readonly ticks: number;
  readonly masters: readonly string[];
  readonly seed: number;
  readonly repeat: string;
}

const name = "each-second";
const capacity = 4;
const taskMs = 200;
/** From the put to the first tick. */
const startsInMs = 2_000;
/** Between two shots; the dead master is back long before the next one. */
const shotEveryMs = { min: 3_000, max: 8_000 } as const;
/** So long before a shot it is asked who leads. */
const aimMs = 500;
const backAfterMs = 1_000;
const settleMsMax = 60_000;
const tellEveryMs = 10_000;

/** True if every promise was tested and kept. */
export function runScheduleAct(options: ScheduleActOptions): Promise<boolean> {
  const { masters, seed, repeat } = options;
  let shooting: LeadersUnderFire | null = null;
  return runAct(options, {
    name: "schedule",
    cluster: { capacity, masters },
    facts: { seed, repeat },
    play: (stage) => {
      shooting = new LeadersUnderFire(options, stage);
      return shooting.play();
    },
    judge: async () => (await shooting?.judge()) ?? [],
  });
}

class LeadersUnderFire {
  readonly #options: ScheduleActOptions;
  readonly #stage: Stage;
  readonly #shotAt: number[] = [];
  #ticks: readonly number[] = [];

  constructor(options: ScheduleActOptions, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
  }

  async play(): Promise<void> {
    const { masters, workers, ticks, seed } = this.#options;
    const [first = "", ...others] = masters;
    await this.#stage.cluster.start(first);
    const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
    await Promise.all([...others, ...names].map((each) => this.#stage.cluster.start(each)));
    this.#stage.tell(`${masters.length} masters and ${workers} workers are up (seed ${seed})`);
    const from = Math.ceil((Date.now() + startsInMs) / 1000) * 1000;
    this.#ticks = Array.from({ length: ticks }, (_, index) => from + index * 1000);
    await this.#stage.client.schedules.put(
      name,
      {
        when: { everyMs: 1000, from },
        ...{ startsAt: from, endsAt: from + (ticks - 1) * 1000, missed: "all" },
        task: { kind: "sleep", input: { seconds: taskMs / 1000 } },
      },
      { signal: this.#options.signal },
    );
    this.#stage.tell(`A schedule has a tick each second from now on, ${ticks} in all`);
    await this.#shootLeaders();
    await this.#untilDone();
    this.#stage.tell(`The last tick is over, and its task has ended`, "green");
  }

  /** From the evidence that the masters and the journal give. */
  async judge() {
    const documents = await readDocuments(this.#stage.client);
    const journal: Journal = await readJournal(this.#stage.client);
    const schedule = await this.#stage.client.schedules.get(name);
    return checkSchedule({ name, ticks: this.#ticks, schedule, documents, journal, shotAt: this.#shotAt });
  }

  async #shootLeaders(): Promise<void> {
    const { seed, signal } = this.#options;
    const random = new SeededRandom(seed);
    const endAt = this.#ticks.at(-1) ?? 0;
    let toldAt = Date.now();
    for (;;) {
      const waitMs = shotEveryMs.min + random.next() * (shotEveryMs.max - shotEveryMs.min);
      // Three of four in the moment of a tick, or just before or after it.
      const aimAt = Date.now() + waitMs;
      const at = random.chance(0.75) ? Math.round(aimAt / 1000) * 1000 + Math.round(random.next() * 60 - 30) : aimAt;
      if (at > endAt) break;
      await setTimeout(Math.max(0, at - aimMs - Date.now()), undefined, { signal });
      const leader = await this.#leader();
      await setTimeout(Math.max(0, at - Date.now()), undefined, { signal });
      this.#shotAt.push(Date.now());
      await this.#stage.cluster.kill(leader);
      await setTimeout(backAfterMs, undefined, { signal });
      // However long that takes: the others go on meanwhile.
      await this.#stage.cluster.launch(leader).ready;
      if (Date.now() - toldAt < tellEveryMs) continue;
      toldAt = Date.now();
      const { fired } = await this.#stage.client.schedules.get(name, { signal });
      const due = this.#ticks.filter((tick) => tick <= toldAt).length;
      this.#stage.tell(`${due} ticks, ${fired} tasks made, ${this.#shotAt.length} leaders shot`);
    }
  }

  /** The name of the master that leads by its own word. */
  #leader(): Promise<string> {
    const ask = async (master: string): Promise<string | null> => {
      if (!this.#stage.cluster.isUp(master)) return null;
      const client = createClient({ masters: this.#stage.cluster.addressOf(master), retryForMs: 0, token: null });
      const status = await client.status({ signal: this.#options.signal }).catch(() => null);
      return status?.role === "leader" ? master : null;
    };
    return until(
      "a master to lead",
      settleMsMax,
      async () => (await Promise.all(this.#options.masters.map(ask))).find((master) => master !== null),
      this.#options.signal,
    );
  }

  async #untilDone(): Promise<void> {
    const { signal } = this.#options;
    await setTimeout(Math.max(0, (this.#ticks.at(-1) ?? 0) - Date.now()), undefined, { signal });
    await until(
      "every tick to be settled and its task to end",
      settleMsMax,
      async () => {
        const { nextAt } = await this.#stage.client.schedules.get(name, { signal });
        if (nextAt !== null) return false;
        const page = await this.#stage.client.list({
          states: ["created", "running", "retrying", "killed"],
          limit: 1,
          signal,
        });
        return page.tasks.length === 0;
      },
      signal,
    );
  }
}
