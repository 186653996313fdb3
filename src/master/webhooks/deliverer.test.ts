/** Deliveries by a whole master with a receiver that does what the test says, under a clock that the test turns. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Submission } from "../../model/submission.ts";
import { hour } from "../../model/units.ts";
import type { WebhookContent } from "../../model/webhooks/webhook.ts";
import { SystemIds } from "../../node/ids.ts";
import type { Posting, PostOutcome, Receivers, WebhookMessage } from "../../ports/receivers.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../../stores/memory/store.ts";
import { Master } from "../master.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const url = "https://example.com/hook";

class Receiver implements Receivers {
  readonly messages: WebhookMessage[] = [];
  /** Null: it does not answer. */
  answer: PostOutcome | null = { status: 204 };
  answerTo: ((message: WebhookMessage) => PostOutcome) | null = null;
  open = 0;
  openMax = 0;

  refusalOf(wanted: string): string | null {
    return wanted.includes("127.0.0.1") ? "It is a private address." : null;
  }

  post(message: WebhookMessage): Posting {
    const aborted = Promise.withResolvers<void>();
    return { outcome: this.#answer(message, aborted.promise), abort: () => aborted.resolve() };
  }

  async #answer(message: WebhookMessage, aborted: Promise<void>): Promise<PostOutcome> {
    this.messages.push(message);
    this.open += 1;
    this.openMax = Math.max(this.open, this.openMax);
    await (this.answer === null ? aborted : new Promise((resolve) => setImmediate(resolve)));
    this.open -= 1;
    return this.answerTo?.(message) ?? this.answer ?? { problem: "It was aborted." };
  }

  /** Tasks, in the order in which they came. */
  get tasks(): readonly string[] {
    return this.messages.map(({ body }) => (JSON.parse(body) as { data: { task: { id: string } } }).data.task.id);
  }
}

class World {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore({ ids: new SystemIds() });
  receiver = new Receiver();
  master = this.#make("m1");

  #make(name: string): Master {
    return new Master({
      ...{ name, address: `http://${name}:1`, store: this.store, clock: this.clock, ids: new SystemIds(), log: silent },
      probe: async () => "unknown",
      peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
      receivers: this.receiver,
    });
  }

  get service() {
    return this.master.service;
  }

  async start(): Promise<void> {
    await this.settle(this.master.start());
    await this.until(() => this.service.status().role === "leader");
  }

  /** The master ends, and another one takes over what is in the store. */
  async replaceMaster(receiver: Receiver): Promise<void> {
    await this.settle(this.master.stop());
    this.receiver = receiver;
    this.master = this.#make("m2");
    await this.start();
  }

  async hook(content: Partial<WebhookContent> = {}, name = "a") {
    return this.settle(this.service.webhooks.put(name, { url, ...content } as never));
  }

  /** Tasks that end at once. */
  async end(count: number, more: Partial<Submission> = {}): Promise<readonly string[]> {
    const submission = { kind: "sleep", input: { seconds: 1 }, ...more } as Submission;
    const tasks = await this.settle(
      this.service.submit(
        Array.from({ length: count }, () => submission),
        null,
      ),
    );
    for (const { id } of tasks) await this.settle(this.service.cancel(id));
    return tasks.map(({ id }) => id);
  }

  async figures(name = "a") {
    const { pending, delivered, givenUp, last } = await this.settle(this.service.webhooks.read(name));
    return { pending, delivered, givenUp, problem: last?.problem };
  }

  async until(isDone: () => boolean | Promise<boolean>, stepMs = 5): Promise<void> {
    for (let count = 0; !(await isDone()); count += 1) {
      if (count > 3000) throw new Error("It never came to be.");
      await this.clock.advance(stepMs);
    }
  }

  async settle<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    void promise.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    await this.until(() => isSettled);
    return promise;
  }
}

let world = new World();
beforeEach(async () => {
  world = new World();
  await world.start();
});
afterEach(() => world.settle(world.master.stop()));

test("an event is sent once, and its outcome is in the journal", async () => {
  const { secret = "" } = await world.hook();
  const [id] = await world.end(1, { name: "nightly report" });
  await world.until(async () => (await world.figures()).pending === 0);
  expect(await world.figures()).toEqual({ pending: 0, delivered: 1, givenUp: 0, problem: null });
  const [message, ...others] = world.receiver.messages;
  expect(others).toEqual([]);
  expect(message).toMatchObject({ url, secret, id: expect.stringMatching(/^evt_[A-Za-z0-9]+_\d+-\d+$/) });
  expect(JSON.parse(message?.body ?? "")).toMatchObject({
    type: "task.cancelled",
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: { webhook: "a", task: { id, name: "nightly report", queue: "default", state: "cancelled", attempt: 0 } },
  });
  expect(message?.body).not.toContain(secret);
});

test("a receiver that does not answer holds up neither commits nor other receivers, and gets few requests at a time", async () => {
  await world.hook({ queues: ["default"] });
  world.receiver.answer = null;
  const before = await world.end(20);
  expect(before).toHaveLength(20);
  expect(world.receiver.messages).toHaveLength(limits.deliveriesAtOnceMax);
  expect(await world.figures()).toMatchObject({ pending: 20, delivered: 0 });
  expect(await world.settle(world.service.readTask(before[19] as TaskId))).toMatchObject({ state: "cancelled" });
});

test("what was under way is sent by the next leader, under the same id", async () => {
  await world.hook();
  world.receiver.answer = null;
  const ids = await world.end(6);
  const first = world.receiver.messages.map(({ id }) => id);
  const receiver = new Receiver();
  await world.replaceMaster(receiver);
  await world.until(async () => (await world.figures()).pending === 0);
  expect(receiver.tasks.toSorted()).toEqual(ids.toSorted());
  expect(receiver.messages.map(({ id }) => id)).toEqual(expect.arrayContaining(first));
  expect(await world.figures()).toMatchObject({ delivered: 6 });
});

test("more than fit into memory are read from the store, each once and in order", async () => {
  await world.hook();
  world.receiver.answer = { status: 500 };
  const count = limits.deliveriesHeldMax + 60;
  const ids = await world.end(count);
  expect((await world.figures()).pending).toBe(count);
  world.receiver.answer = { status: 200 };
  world.receiver.messages.length = 0;
  await world.until(async () => (await world.figures()).pending === 0, 1000);
  expect(world.receiver.tasks).toHaveLength(count);
  expect(new Set(world.receiver.tasks)).toEqual(new Set(ids));
  expect(await world.figures()).toMatchObject({ delivered: count, givenUp: 0, problem: null });
});

describe("a receiver that fails", () => {
  test("gets one request at a time, more and more seldom", async () => {
    await world.hook();
    world.receiver.answer = { status: 503 };
    await world.end(10);
    world.receiver.openMax = 0;
    world.receiver.messages.length = 0;
    await world.clock.advance(hour);
    expect(world.receiver.openMax).toBe(1);
    expect(world.receiver.messages.length).toBeGreaterThan(10);
    expect(world.receiver.messages.length).toBeLessThan(hour / limits.receiverRestMsMax + 10);
    expect(await world.figures()).toMatchObject({ pending: 10, problem: "The receiver answered 503." });
  });

  test("is given all that waits soon after it is back", async () => {
    await world.hook();
    world.receiver.answer = { problem: "connect ECONNREFUSED" };
    const ids = await world.end(10);
    await world.clock.advance(12 * hour);
    world.receiver.answer = { status: 200 };
    world.receiver.messages.length = 0;
    await world.clock.advance(2 * limits.receiverRestMsMax);
    expect(world.receiver.tasks.toSorted()).toEqual(ids.toSorted());
    expect(await world.figures()).toMatchObject({ pending: 0, delivered: 10 });
  });

  test("on some events only is told of the others meanwhile", async () => {
    await world.hook();
    let poison = "";
    world.receiver.answerTo = ({ body }) => ({ status: body.includes(poison) ? 500 : 200 });
    poison = (await world.end(1))[0] ?? "";
    await world.end(10);
    await world.clock.advance(2 * limits.receiverRestMsMax);
    expect(await world.figures()).toMatchObject({ pending: 1, delivered: 10 });
  });

  test("for too long is given up on, and that can be seen", async () => {
    await world.hook();
    world.receiver.answer = { status: 404 };
    const [id] = await world.end(1);
    await world.clock.jump(world.clock.now() + defaults.deliveryGiveUpMs);
    await world.until(async () => (await world.figures()).pending === 0, 10_000);
    expect(await world.figures()).toMatchObject({ givenUp: 1, delivered: 0 });
    expect(world.clock.now() - 1_000_000).toBeGreaterThanOrEqual(defaults.deliveryGiveUpMs);
    const query = { isGivenUp: true, after: null, limit: 10 };
    const { deliveries } = await world.settle(world.service.webhooks.deliveries("a", query));
    expect(deliveries).toMatchObject([{ task: id, problem: "The receiver answered 404.", webhook: "a" }]);
    expect(deliveries[0]?.id).toMatch(/^a@\d{16}-00000$/);
  });
});

test("names and templates that do not match are not sent", async () => {
  await world.hook({ names: ["nightly*"] });
  await world.hook({ templates: ["report"] }, "b");
  await world.end(2, { name: "hourly" });
  const ids = await world.end(1, { name: "nightly-3" });
  await world.until(async () => (await world.figures()).pending + (await world.figures("b")).pending === 0);
  expect(world.receiver.tasks).toEqual(ids);
  expect(await world.figures()).toMatchObject({ delivered: 1, givenUp: 0 });
  expect(await world.figures("b")).toMatchObject({ delivered: 0, givenUp: 0 });
});

test("what waits for a removed webhook is thrown away", async () => {
  await world.hook();
  world.receiver.answer = { status: 500 };
  await world.end(3);
  await world.settle(world.service.webhooks.remove("a"));
  world.receiver.messages.length = 0;
  await world.until(async () => (await world.store.listRecords("webhooks", { limit: 1 })).records.length === 0);
  expect((await world.store.listRecords("deliveries", { limit: 10 })).records).toEqual([]);
  expect(world.receiver.messages).toEqual([]);
});

describe("refused is", () => {
  test.each([
    ["a private address", { url: "http://127.0.0.1:1/" }, "/url"],
    ["another scheme", { url: "ftp://example.com" }, "/url"],
    ["a password", { url: "https://ada:secret@example.com" }, "/url"],
    ["a secret that is too short", { url, secret: "whsec_c2hvcnQ=" }, "/secret"],
    ["an unknown event", { url, on: ["start"] }, "/on/0"],
  ])("%s", async (_what, content, path) => {
    await expect(world.hook(content as never)).rejects.toMatchObject({ code: "invalid", details: { path } });
  });
});
