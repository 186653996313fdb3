/** Somebody who changes templates and makes tasks from them, while their versions change. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { Json } from "../../model/json.ts";
import type { TemplateRun } from "../../model/templates/template.ts";
import { codeOf, isAnswer, type RunningMaster } from "./call.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

const machine = "template-user";
const names = ["report", "import"] as const;

interface Run {
  readonly call: number;
  readonly key: string;
  readonly name: string;
  readonly wish: TemplateRun;
}

export class TemplateUser {
  readonly #visitor: Visitor;
  readonly #done: Run[] = [];
  #count = 0;

  constructor(world: World) {
    this.#visitor = new Visitor(world, machine);
  }

  get isBusy(): boolean {
    return this.#visitor.isBusy;
  }

  /** One thing that such a user might do now. */
  act(): void {
    const name = this.#visitor.random.pick(names);
    const share = this.#visitor.random.next();
    this.#count += 1;
    if (share < 0.35) this.#change(`change of template ${name}`, ({ face }) => face.templates.put(name, this.#draw()));
    else if (share < 0.4) this.#change(`removal of template ${name}`, ({ face }) => face.templates.remove(name));
    else if (share < 0.55 && this.#done.length > 0)
      void this.#run({ ...this.#visitor.random.pick(this.#done), call: this.#newCall() });
    else void this.#run({ call: this.#newCall(), key: `${machine}-key-${this.#count}`, name, wish: this.#drawWish() });
  }

  /** No two say the same. */
  #draw(): Json {
    const task = this.#visitor.random.chance(0.5)
      ? { kind: "sleep", input: { seconds: "${seconds}" } }
      : { kind: "exec", input: { command: ["simulate", "${ms}", "${percent}"] } };
    return {
      variables: {
        seconds: { type: "number", default: this.#visitor.random.integer(1, 5_000) / 1_000 },
        ms: { type: "integer", default: this.#visitor.random.integer(1, 5_000) },
        percent: { type: "integer", default: this.#visitor.random.pick([0, 50]) },
        who: { type: "string" },
      },
      task: { ...task, name: `cut ${this.#count} for \${who}`, priority: this.#visitor.random.integer(-3, 3) },
    };
  }

  #drawWish(): TemplateRun {
    const version = this.#visitor.random.chance(0.3) ? this.#visitor.random.integer(1, 4) : null;
    const who = `customer ${this.#count}`;
    const variables = this.#visitor.random.chance(0.5) ? { who } : { who, seconds: 0.5, ms: 500 };
    return { variables, ...(version !== null && { version }) };
  }

  /** It is not repeated: another version of the same content may be wanted by then. */
  #change(label: string, act: (master: RunningMaster) => Promise<unknown>): void {
    this.#visitor.ask(label, act).catch((error: unknown) => void codeOf(error));
  }

  async #run(run: Run): Promise<void> {
    const { ledger, coverage } = this.#visitor.world;
    const { call: number, key, name, wish } = run;
    const asked = ledger.events.length;
    ledger.add({
      kind: "submit-invoke",
      call: number,
      key,
      tasks: [{ id: null, body: JSON.stringify({ name, wish }) }],
    });
    const code = await this.#visitor.untilAnswered(async () => {
      const { id } = await this.#runOnce(run);
      ledger.add({ kind: "submit-ok", call: number, ids: [id] });
      ledger.add({ kind: "template-run", asked, task: id, template: name, version: wish.version ?? null });
      coverage.saw("a task was made from a template");
      this.#done.push(run);
    });
    if (code === null) return;
    ledger.add(isAnswer(code) ? { kind: "submit-fail", call: number, code } : { kind: "submit-info", call: number });
  }

  #runOnce({ key, name, wish }: Run): Promise<SubmittedTask> {
    return this.#visitor.ask(`run of template ${name} as ${key}`, async ({ face, process }) => {
      const submitted = await face.templates.run(name, wish, key);
      const { id, isNew } = submitted;
      this.#visitor.world.ledger.add({ kind: "acked-submit", life: process.name, ids: [id], areNew: [isNew] });
      return submitted;
    });
  }

  #newCall(): number {
    return this.#visitor.world.ledger.events.length;
  }
}
