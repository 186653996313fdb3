/** Somebody who sends signals to tasks that run scripts: before they wait, while they do, and when it is too late. */
import type { TaskId } from "../../model/ids.ts";
import { isFinal } from "../../model/task.ts";
import { scriptOf, signalNames } from "../checkers/scripts.ts";
import { codeOf } from "./call.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

const repeatsMax = 40;

interface Target {
  readonly task: TaskId;
  /** What its script waits for, sooner or later. */
  readonly names: readonly string[];
  /** What it waits for now. */
  readonly awaited: readonly string[];
}

export class Signaller {
  readonly #visitor: Visitor;
  #count = 0;

  constructor(world: World) {
    this.#visitor = new Visitor(world, "signaller");
  }

  get isBusy(): boolean {
    return this.#visitor.isBusy;
  }

  /** Sends one signal, if there is a script that may wait for one. */
  act(): void {
    const targets = this.#targets();
    if (targets.length === 0) return;
    const waiting = targets.filter(({ awaited }) => awaited.length > 0);
    const isMeant = waiting.length > 0 && this.#visitor.random.chance(0.6);
    const { task, names, awaited } = this.#visitor.random.pick(isMeant ? waiting : targets);
    const name = this.#visitor.random.pick(isMeant ? awaited : names);
    if (isMeant) this.#visitor.world.coverage.saw("a signal was sent to a task that waited for it");
    this.#count += 1;
    void this.#send(task, name, `signal-${this.#count}`);
  }

  #targets(): Target[] {
    const { specs, statuses } = this.#visitor.world.disk.view;
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
  #send(task: TaskId, name: string, id: string): Promise<void> {
    return this.#visitor.busyWith(async () => {
      let left = this.#visitor.random.chance(0.5) ? 2 : 1;
      for (let tries = 0; tries < repeatsMax && left > 0; tries++) {
        const isAnswered = await this.#sendOnce(task, name, id);
        if (isAnswered) left -= 1;
        await this.#visitor.pause();
      }
    });
  }

  async #sendOnce(task: TaskId, name: string, id: string): Promise<boolean> {
    try {
      await this.#visitor.ask(`signal ${id} for ${name} of ${task}`, async ({ face, process }) => {
        await face.signal(task, { id, name, payload: id });
        this.#visitor.world.ledger.add({ kind: "acked-signal", life: process.name, task, signal: id });
      });
      return true;
    } catch (error) {
      return ["not-found", "already-final", "too-many"].includes(codeOf(error));
    }
  }
}
