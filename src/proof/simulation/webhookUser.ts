/** Somebody who makes webhooks, changes them and removes them, while tasks end. */
import type { Json } from "../../model/json.ts";
import type { RunningMaster } from "./call.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

const names = ["w", "v"] as const;

export class WebhookUser {
  readonly #visitor: Visitor;

  constructor(world: World) {
    this.#visitor = new Visitor(world, "webhook-user");
  }

  get isBusy(): boolean {
    return this.#visitor.isBusy;
  }

  /** The first webhook hears of every end, and stays. */
  begin(): void {
    this.#ask("webhook everything", ({ face }) =>
      face.webhooks.put("everything", { url: "https://receiver/", on: ["end", "late", "alarm"], lateMs: 1_000 }),
    );
  }

  act(): void {
    const { random } = this.#visitor;
    const name = random.pick(names);
    const share = random.next();
    if (share < 0.55) this.#ask(`webhook ${name}`, ({ face }) => face.webhooks.put(name, this.#draw()));
    else if (share < 0.85) this.#ask(`removal of webhook ${name}`, ({ face }) => face.webhooks.remove(name));
    else this.#ask(`test of webhook ${name}`, ({ face }) => face.webhooks.test(name));
  }

  #draw(): Json {
    const { random, world } = this.#visitor;
    const on = random.pick(["end", "failure"]);
    return {
      url: "https://receiver/",
      on: [on],
      ...(random.chance(0.5) && { queues: [random.pick(world.knobs.queues)] }),
      ...(random.chance(0.3) && on === "end" && { states: ["success", "cancelled"] }),
      ...(random.chance(0.2) && { names: ["cut *"] }),
    };
  }

  #ask(label: string, change: (master: RunningMaster) => Promise<unknown>): void {
    const once = async () => void (await this.#visitor.ask(label, change));
    void this.#visitor.untilAnswered(once);
  }
}
