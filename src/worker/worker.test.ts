/** The worker's shell over fake ports: that what the Agent decides is done, and that what came of it is told. */
import { afterEach, describe, expect, test } from "vitest";
import type { BootId, TaskId, WorkerId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import { defaults } from "../model/limits.ts";
import { FakeClock } from "../proof/fakes/fakeClock.ts";
import { FakeExecutor, FakeLink, FakeOutbox, FakeSpool } from "../proof/fakes/fakeWorkerPorts.ts";
import { Worker, type WorkerOptions } from "./worker.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class Bench {
  readonly clock = new FakeClock();
  readonly a = new FakeLink();
  readonly b = new FakeLink();
  readonly outbox = new FakeOutbox();
  readonly executor = new FakeExecutor();
  readonly spool = new FakeSpool();
  readonly statuses: string[] = [];
  readonly worker: Worker;

  constructor(more: Partial<WorkerOptions> = {}) {
    const { clock, outbox, executor, spool } = this;
    this.worker = new Worker({
      id: "w" as WorkerId,
      boot: "boot" as BootId,
      capacity: 2,
      queues: ["default"],
      masters: ["http://a"],
      dial: (address) => (address === "http://a" ? this.a : this.b),
      log: silent,
      hostname: "host",
      pid: 7,
      version: "1",
      probePort: 9,
      onStatus: ({ phase, isDraining }) => this.statuses.push(isDraining ? `${phase} draining` : phase),
      ...{ clock, outbox, executor, spool, ...more },
    });
    benches.push(this);
  }

  async start(): Promise<this> {
    await this.worker.start();
    await this.clock.advance(0);
    return this;
  }

  print(task: string, text: string): void {
    this.spool.write({ task: task as TaskId, attempt: 1 }, this.clock.now(), Buffer.from(text));
  }

  get printed(): string {
    return Buffer.concat(this.a.logs.map(({ bytes }) => bytes)).toString();
  }
}

const benches: Bench[] = [];

afterEach(async () => {
  for (const { worker } of benches.splice(0)) await worker.stop();
});

/** Runs something after as many turns of the microtask queue. */
async function inTurns(turns: number, run: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  run();
}

describe("a task's way through a worker", () => {
  test("attach, assign, run, keep, report, forget", async () => {
    const bench = await new Bench().start();
    expect(bench.a.attaches).toEqual([
      {
        ...{
          protocol: 1,
          protocolMin: 1,
          protocolMax: 2,
          boot: "boot",
          capacity: 2,
          queues: ["default"],
          running: [],
          outbox: [],
          isDraining: false,
        },
        ...{ epochMax: 0, incarnation: null, probePort: 9, hostname: "host", pid: 7, version: "1" },
        ...{ kinds: ["sleep", "exec"], labels: [] },
      },
    ]);
    expect(bench.outbox.epochs).toEqual([1]);
    expect(bench.statuses).toContain("attached");
    bench.a.assign("t");
    expect(bench.executor.started).toEqual(["t"]);
    await bench.clock.advance(defaults.startedWaitMs);
    expect(bench.a.items).toEqual(["t started"]);
    bench.executor.end("t");
    await bench.clock.advance(0);
    expect(bench.a.items).toEqual(["t started", "t result"]);
    expect(bench.outbox.kept.size).toBe(0);
  });

  test("an executor that ends an attempt before it has returned is heard", async () => {
    const bench = await new Bench().start();
    bench.executor.endsAtOnce = true;
    bench.a.assign("t", "u");
    await bench.clock.advance(0);
    expect(bench.a.items.sort()).toEqual(["t result", "u result"]);
  });

  test("a result that comes at any moment around the end of another's write is written too", async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const bench = await new Bench().start();
      bench.a.assign("t", "u");
      const put = bench.outbox.put.bind(bench.outbox);
      bench.outbox.put = async (results) => {
        await put(results);
        void inTurns(turns, () => bench.executor.end("u"));
      };
      bench.executor.end("t");
      await bench.clock.advance(0);
      expect(bench.a.items.sort(), `after ${turns} turns`).toEqual(["t result", "u result"]);
    }
  });

  test("a result that the disk refuses is neither told nor lost; it is tried again", async () => {
    const bench = await new Bench().start();
    bench.outbox.failures = 3;
    bench.a.assign("t");
    bench.executor.end("t");
    await bench.clock.advance(600);
    expect(bench.a.items).toEqual(["trouble"]);
    expect(bench.statuses.at(-1)).toBe("attached");
    await bench.clock.advance(200);
    expect(bench.a.items.filter((item) => item !== "trouble")).toEqual(["t result"]);
    // Once its disk accepts results, it takes tasks again.
    expect(bench.a.reports.flatMap(({ items }) => items).findLast((item) => item.kind === "trouble")).toEqual({
      kind: "trouble",
      text: null,
    });
  });

  test("a broken stream touches nothing that runs; the other master is told of it", async () => {
    const bench = await new Bench({ masters: ["http://a", "http://b"] }).start();
    bench.a.assign("t");
    await bench.clock.advance(1500);
    bench.a.isAway = true;
    bench.a.closeStream("reset");
    await bench.clock.advance(200);
    expect(bench.b.attaches[0]?.running).toMatchObject([{ task: "t", attempt: 1 }]);
    bench.executor.end("t");
    await bench.clock.advance(0);
    expect(bench.b.items).toEqual(["t result"]);
  });

  test("an outbox that cannot be opened ends the worker", async () => {
    const bench = new Bench();
    const refusal = new Error("damaged");
    bench.outbox.open = () => Promise.reject(refusal);
    await expect(bench.worker.start()).rejects.toBe(refusal);
    expect(await bench.worker.ended).toBe(refusal);
  });

  test("a broken promise of a port ends the worker with the reason, not the process", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    const session = bench.executor.running.get("t");
    const end = { outcome: "success", startedAt: 1, endedAt: 2 } as const;
    session?.end(end);
    session?.end(end);
    expect((await bench.worker.ended)?.message).toContain("ended without running here");
  });
});

describe("what an attempt sends while it runs", () => {
  const content = { kind: "progress", done: 1, at: 0 } as const;

  test("is answered when a master has taken it, also by the next master, and before the result is kept", async () => {
    const bench = await new Bench({ masters: ["http://a", "http://b"] }).start();
    bench.a.assign("t");
    await bench.clock.advance(1500);
    bench.a.isAway = true;
    bench.b.isAway = true;
    let answer: unknown = null;
    void bench.executor.running
      .get("t")
      ?.send(content)
      .then((given) => (answer = given));
    await bench.clock.advance(0);
    expect(answer).toBeNull();
    bench.b.isAway = false;
    await bench.clock.advance(1000);
    expect(answer).toEqual({ verdict: "committed" });
    bench.executor.end("t");
    await bench.clock.advance(0);
    expect(bench.b.items).toEqual(["t progress", "t result"]);
  });

  test("tells which task a submission has made, also when the first answer is lost and a repeat does not say it", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    const step = (key: string, value: Json) => ({ key, step: { value } });
    bench.a.pages = [
      { steps: [step("first", { id: "mine" })], next: "first" },
      { steps: [step("mail", { id: "theirs" })], next: null },
    ];
    const submission = { kind: "exec", input: { command: ["mail"] } };
    const answer = bench.executor.running.get("t")?.send({ kind: "submit", key: "mail", submission });
    await bench.clock.advance(100);
    expect(await answer).toEqual({ verdict: "committed", made: "theirs" });
  });

  test("has an answer also when the attempt ends first, or sends more after its end", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    const session = bench.executor.running.get("t");
    bench.a.isAway = true;
    const early = session?.send(content);
    bench.executor.end("t");
    expect(await early).toEqual({ verdict: "stale" });
    expect(await session?.send(content)).toEqual({ verdict: "stale" });
  });

  test("is answered by messages, those included that came before anybody listened", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    const message = { task: "t" as TaskId, attempt: 1, assignedAt: 1 };
    bench.a.say({ kind: "tell", epoch: 1, messages: [{ ...message, id: "m1", body: 1 }] });
    const heard: unknown[] = [];
    bench.executor.running.get("t")?.onMessage((each) => heard.push(each));
    bench.a.say({ kind: "tell", epoch: 1, messages: [{ ...message, id: "m2", body: 2 }] });
    expect(heard).toEqual([
      { id: "m1", body: 1 },
      { id: "m2", body: 2 },
    ]);
  });
});

describe("output", () => {
  test("is sent while the task runs", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    bench.print("t", "one ");
    await bench.clock.advance(200);
    expect(bench.printed).toBe("one ");
    bench.print("t", "two");
    await bench.clock.advance(200);
    expect(bench.printed).toBe("one two");
    bench.executor.end("t");
    await bench.clock.advance(0);
    const items = bench.a.reports.flatMap(({ items }) => items);
    expect(items.find((item) => item.kind === "result")).toMatchObject({ logBytes: 7 });
  });

  test("is sent again until it is stored", async () => {
    const bench = await new Bench().start();
    bench.a.logFailures = ["unavailable", "timeout"];
    bench.a.assign("t");
    bench.print("t", "x");
    bench.executor.end("t");
    await bench.clock.advance(299);
    expect(bench.printed).toBe("");
    await bench.clock.advance(1);
    expect(bench.printed).toBe("x");
    expect(bench.spool.pieces).toEqual([]);
  });

  test("that no master will ever take is dropped", async () => {
    const bench = await new Bench().start();
    bench.a.logFailures = ["invalid"];
    bench.a.assign("t");
    bench.print("t", "x");
    bench.executor.end("t");
    await bench.clock.advance(0);
    expect(bench.spool.pieces).toEqual([]);
  });

  test("that is refused takes no output of others along", async () => {
    const bench = await new Bench().start();
    bench.a.refusedLogs = (chunks) => chunks.some(({ task }) => task === "u");
    bench.a.assign("t", "u");
    for (const [task, text] of [
      ["t", "one "],
      ["u", "bad"],
      ["t", "two "],
      ["t", "three"],
    ] as const)
      bench.print(task, text);
    bench.executor.end("t");
    await bench.clock.advance(0);
    expect(bench.printed).toBe("one two three");
    expect(bench.spool.pieces).toEqual([]);
  });

  test("that an answer is missing for is sent in the next session", async () => {
    const bench = await new Bench().start();
    const sendLogs = bench.a.sendLogs.bind(bench.a);
    bench.a.sendLogs = () => new Promise(() => {});
    bench.a.assign("t");
    bench.print("t", "x");
    await bench.clock.advance(1500);
    bench.a.sendLogs = sendLogs;
    bench.a.closeStream("reset");
    await bench.clock.advance(100);
    expect(bench.printed).toBe("x");
  });

  test("is not looked for while nothing runs", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    bench.executor.end("t");
    await bench.clock.advance(500);
    let looks = 0;
    bench.spool.take = () => {
      looks += 1;
      return [];
    };
    await bench.clock.advance(5000);
    expect(looks).toBe(0);
  });
});

describe("ending", () => {
  test("a drain finishes what runs, sends its output, says goodbye, and leaves nothing behind", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    const drained = bench.worker.drain(60_000);
    await bench.clock.advance(3000);
    expect(bench.statuses.at(-1)).toBe("attached draining");
    bench.print("t", "last words");
    bench.executor.end("t");
    await bench.clock.advance(0);
    await drained;
    expect(await bench.worker.ended).toBeNull();
    expect(bench.printed).toBe("last words");
    expect(bench.a.items).toEqual(["draining", "t started", "t result", "bye"]);
    expect(bench.statuses.at(-1)).toBe("finished draining");
    expect(bench.outbox.isOpen).toBe(false);
    expect(bench.clock.timers.size).toBe(0);
  });

  test("a drain whose time is up gives the rest back", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    const drained = bench.worker.drain(1000);
    await bench.clock.advance(1000);
    await drained;
    const items = bench.a.reports.flatMap(({ items }) => items);
    expect(items.find((item) => item.kind === "result")).toMatchObject({ outcome: "aborted" });
    expect(items.at(-1)).toEqual({ kind: "bye" });
  });

  test("a stop ends everything at once, without a word; asking twice does no harm", async () => {
    const bench = await new Bench().start();
    bench.a.assign("t");
    await Promise.all([bench.worker.stop(), bench.worker.stop()]);
    expect(await bench.worker.ended).toBeNull();
    expect(bench.executor.running.size).toBe(0);
    expect(bench.a.items).toEqual([]);
    expect(bench.clock.timers.size).toBe(0);
    bench.a.assign("u");
    expect(bench.executor.started).toEqual(["t"]);
  });

  test("a stop while the disk refuses does not wait for it", async () => {
    const bench = await new Bench().start();
    bench.outbox.failures = Number.POSITIVE_INFINITY;
    bench.a.assign("t");
    bench.executor.end("t");
    await bench.clock.advance(1000);
    await bench.worker.stop();
    expect(await bench.worker.ended).toBeNull();
  });

  test("draining what never started just ends it", async () => {
    const bench = new Bench();
    await bench.worker.drain(1000);
    expect(await bench.worker.ended).toBeNull();
  });
});
