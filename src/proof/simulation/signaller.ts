/** Somebody who sends signals to tasks that run scripts: before they wait, while they do, and when it is too late. */
import type { TaskId } from "../../model/ids.ts";
import { isFinal } from "../../model/task.ts";
import { LinkError } from "../../ports/transport.ts";
import { scriptOf, signalNames } from "../checkers/scripts.ts";
import { call } from "./call.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const machine = "signaller";
const repeatsMax = 40;

interface Target {
  readonly task: TaskId;
  /** What its script waits for, sooner or later. */
  readonly names: readonly string[];
  /** What it waits for now. */
  readonly awaited: readonly string[];
}

export class Signaller {
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;
  #count = 0;
  #openCount = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork(machine);
    this.#process = new Process(machine, world.timeline);
  }

  get isBusy(): boolean {
    return this.#openCount > 0;
  }

  /** Sends one signal, if there is a script that may wait for one. */
  act(): void {
    const targets = this.#targets();
    if (targets.length === 0) return;
    const waiting = targets.filter(({ awaited }) => awaited.length > 0);
    const isMeant = waiting.length > 0 && this.#random.chance(0.6);
    const { task, names, awaited } = this.#random.pick(isMeant ? waiting : targets);
    const name = this.#random.pick(isMeant ? awaited : names);
    if (isMeant) this.#world.coverage.saw("a signal was sent to a task that waited for it");
    this.#count += 1;
    void this.#send(task, name, `signal-${this.#count}`);
  }

  #targets(): Target[] {
    const { specs, statuses } = this.#world.disk.view;
    return [...specs.values()].flatMap((spec) => {
      const { id } = spec;
      const status = statuses.get(id)?.status;
      const script = scriptOf(spec);
      if (script === null || status === undefined || isFinal(status.state)) return [];
      const names = signalNames(script);
      const waits = status.family?.waits ?? [];
      const awaited = waits.flatMap((wait) => (wait.kind === "signal" ? [wait.name] : []));
      return names.length === 0 ? [] : [{ task: id, names, awaited }];
    });
  }

  /** Until somebody answers; now and then once more, although it was taken. */
  async #send(task: TaskId, name: string, id: string): Promise<void> {
    this.#openCount += 1;
    let left = this.#random.chance(0.5) ? 2 : 1;
    for (let tries = 0; tries < repeatsMax && left > 0; tries++) {
      const isAnswered = await this.#sendOnce(task, name, id);
      if (isAnswered) left -= 1;
      await this.#process.sleep(this.#random.integer(50, 2_000));
    }
    this.#openCount -= 1;
  }

  async #sendOnce(task: TaskId, name: string, id: string): Promise<boolean> {
    const { wire, masters, ledger } = this.#world;
    const label = `signal ${id} for ${name} of ${task}`;
    try {
      await call(wire, { machine, process: this.#process }, this.#random.pick(masters), label, async (running) => {
        await running.face.signal(task, { id, name, payload: id });
        ledger.add({ kind: "acked-signal", life: running.process.name, task, signal: id });
      });
      return true;
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      return ["not-found", "already-final", "too-many"].includes(error.code);
    }
  }
}
