/** What everybody has who visits the cluster beside its clients: a machine of its own, luck of its own, and calls that may stay unanswered. */
import { call, codeOf, isAnswer, type RunningMaster } from "./call.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const repeatsMax = 40;

export class Visitor {
  readonly world: World;
  readonly random: Random;
  readonly #machine: string;
  readonly #process: Process;
  #openCount = 0;

  constructor(world: World, machine: string) {
    this.world = world;
    this.random = world.random.fork(machine);
    this.#machine = machine;
    this.#process = new Process(machine, world.timeline);
  }

  get isBusy(): boolean {
    return this.#openCount > 0;
  }

  /** Asks any master, once. @throws LinkError */
  ask<Answer>(label: string, invoke: (master: RunningMaster) => Promise<Answer>): Promise<Answer> {
    const { wire, masters } = this.world;
    return call(wire, { machine: this.#machine, process: this.#process }, this.random.pick(masters), label, invoke);
  }

  /** Busy until it is done. */
  async busyWith<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#openCount += 1;
    const result = await work();
    this.#openCount -= 1;
    return result;
  }

  /** Tries until a master has decided, or patience is at its end. @returns null once it has worked, otherwise the code of the last refusal */
  untilAnswered(once: () => Promise<void>): Promise<string | null> {
    return this.busyWith(async () => {
      let code = "";
      for (let tries = 0; tries < repeatsMax; tries++) {
        if (tries > 0) await this.pause();
        try {
          await once();
          return null;
        } catch (error) {
          code = codeOf(error);
          if (isAnswer(code)) return code;
        }
      }
      return code;
    });
  }

  pause(): Promise<void> {
    return this.#process.sleep(this.random.integer(50, 2_000));
  }
}
