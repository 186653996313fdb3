/** Somebody who changes templates and makes tasks from them, while their versions change. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { Json } from "../../model/json.ts";
import type { TemplateRun } from "../../model/templates/template.ts";
import { LinkError } from "../../ports/transport.ts";
import { call, type RunningMaster } from "./call.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const machine = "template-user";
const repeatsMax = 40;
const names = ["report", "import"] as const;

interface Run {
  readonly call: number;
  readonly key: string;
  readonly name: string;
  readonly wish: TemplateRun;
}

export class TemplateUser {
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;
  readonly #done: Run[] = [];
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

  /** One thing that such a user might do now. */
  act(): void {
    const name = this.#random.pick(names);
    const share = this.#random.next();
    this.#count += 1;
    if (share < 0.35) this.#change(`change of template ${name}`, ({ face }) => face.templates.put(name, this.#draw()));
    else if (share < 0.4) this.#change(`removal of template ${name}`, ({ face }) => face.templates.remove(name));
    else if (share < 0.55 && this.#done.length > 0)
      void this.#run({ ...this.#random.pick(this.#done), call: this.#newCall() });
    else void this.#run({ call: this.#newCall(), key: `${machine}-key-${this.#count}`, name, wish: this.#drawWish() });
  }

  /** No two say the same. */
  #draw(): Json {
    const task = this.#random.chance(0.5)
      ? { kind: "sleep", input: { seconds: "${seconds}" } }
      : { kind: "exec", input: { command: ["simulate", "${ms}", "${percent}"] } };
    return {
      variables: {
        seconds: { type: "number", default: this.#random.integer(1, 5_000) / 1_000 },
        ms: { type: "integer", default: this.#random.integer(1, 5_000) },
        percent: { type: "integer", default: this.#random.pick([0, 50]) },
        who: { type: "string" },
      },
      task: { ...task, name: `cut ${this.#count} for \${who}`, priority: this.#random.integer(-3, 3) },
    };
  }

  #drawWish(): TemplateRun {
    const version = this.#random.chance(0.3) ? this.#random.integer(1, 4) : null;
    const who = `customer ${this.#count}`;
    const variables = this.#random.chance(0.5) ? { who } : { who, seconds: 0.5, ms: 500 };
    return { variables, ...(version !== null && { version }) };
  }

  /** It is not repeated: another version of the same content may be wanted by then. */
  #change(label: string, act: (master: RunningMaster) => Promise<unknown>): void {
    this.#ask(label, act).catch((error: unknown) => void codeOf(error));
  }

  async #run(run: Run): Promise<void> {
    const { ledger, coverage } = this.#world;
    const { call: number, key, name, wish } = run;
    const asked = ledger.events.length;
    ledger.add({
      kind: "submit-invoke",
      call: number,
      key,
      tasks: [{ id: null, body: JSON.stringify({ name, wish }) }],
    });
    this.#openCount += 1;
    let code: string | null = "unknown";
    for (let tries = 0; tries < repeatsMax && !isAnswer(code); tries++) {
      if (tries > 0) await this.#process.sleep(this.#random.integer(50, 2_000));
      try {
        const { id } = await this.#runOnce(run);
        ledger.add({ kind: "submit-ok", call: number, ids: [id] });
        ledger.add({ kind: "template-run", asked, task: id, template: name, version: wish.version ?? null });
        coverage.saw("a task was made from a template");
        this.#done.push(run);
        code = null;
      } catch (error) {
        code = codeOf(error);
      }
    }
    this.#openCount -= 1;
    if (code === null) return;
    ledger.add(isAnswer(code) ? { kind: "submit-fail", call: number, code } : { kind: "submit-info", call: number });
  }

  #runOnce({ key, name, wish }: Run): Promise<SubmittedTask> {
    return this.#ask(`run of template ${name} as ${key}`, async ({ face, process }) => {
      const submitted = await face.templates.run(name, wish, key);
      const { id, isNew } = submitted;
      this.#world.ledger.add({ kind: "acked-submit", life: process.name, ids: [id], areNew: [isNew] });
      return submitted;
    });
  }

  #newCall(): number {
    return this.#world.ledger.events.length;
  }

  #ask<Answer>(label: string, invoke: (master: RunningMaster) => Promise<Answer>): Promise<Answer> {
    const { wire, masters } = this.#world;
    return call(wire, { machine, process: this.#process }, this.#random.pick(masters), label, invoke);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof LinkError) return error.code;
  throw error;
}

/** True if a master has decided; false if nobody knows. */
function isAnswer(code: string | null): boolean {
  return code === null || ["not-found", "conflict", "too-many", "invalid"].includes(code);
}
