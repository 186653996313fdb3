/** How long a task waits when there is nothing to wait for, and how long when its worker has just been shot. */
import { createClient, type Outlast, type OutlastEvent } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";

let lastId = 0;

function freshId(): string {
  lastId += 1;
  return `bench-${process.pid}-${lastId}`;
}

/** From before a submit leaves the client until the client sees that the task was started, in ms, ascending. */
export async function measureStartLatency(
  cluster: BenchCluster,
  samples: number,
  queue = "default",
): Promise<number[]> {
  const client = createClient({ masters: [cluster.address] });
  const watch = await EventWatch.open(client);
  const latencies: number[] = [];
  for (let index = 0; index < samples; index += 1) {
    const id = freshId();
    const running = watch.next((event) => isTask(event, id) && event.task.state !== "created");
    const startedAt = performance.now();
    await client.submit({ id, kind: "sleep", input: { seconds: 0 }, queue });
    await running;
    latencies.push(performance.now() - startedAt);
  }
  watch.close();
  return latencies.sort((a, b) => a - b);
}

/** From the SIGKILL of a worker until its task is running on another one, in ms, ascending. */
export async function measureRescue(cluster: BenchCluster, kills: number): Promise<number[]> {
  const client = createClient({ masters: [cluster.address] });
  const watch = await EventWatch.open(client);
  const latencies: number[] = [];
  for (let index = 0; index < kills; index += 1) {
    const id = freshId();
    const first = watch.next((event) => isTask(event, id) && event.task.state === "running");
    await client.submit({ id, kind: "sleep", input: { seconds: 600 } });
    const host = hostOf(await first);
    const again = watch.next(
      (event) => isTask(event, id) && event.task.state === "running" && event.task.attempt === 2,
    );
    const killedAt = performance.now();
    await cluster.kill(host);
    await again;
    latencies.push(performance.now() - killedAt);
    await client.cancel(id);
    await cluster.start(host);
  }
  watch.close();
  return latencies.sort((a, b) => a - b);
}

function isTask(event: OutlastEvent, id: string): event is Extract<OutlastEvent, { kind: "task" }> {
  return event.kind === "task" && event.task.id === id;
}

function hostOf(event: OutlastEvent): string {
  if (event.kind !== "task" || event.task.host === undefined) throw new Error("A running task names no host.");
  return event.task.host;
}

/** The stream of changes, with somebody waiting for one of them. */
class EventWatch {
  readonly #abort = new AbortController();
  readonly #waiting = new Set<{ matches(event: OutlastEvent): boolean; resolve(event: OutlastEvent): void }>();

  static async open(client: Outlast): Promise<EventWatch> {
    const watch = new EventWatch();
    const { seq } = await client.status();
    void watch.#read(client, seq).catch(() => undefined);
    return watch;
  }

  next(matches: (event: OutlastEvent) => boolean): Promise<OutlastEvent> {
    return new Promise((resolve) => this.#waiting.add({ matches, resolve }));
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(client: Outlast, after: number): Promise<void> {
    for await (const event of client.events({ after, signal: this.#abort.signal })) {
      for (const waiter of [...this.#waiting]) {
        if (!waiter.matches(event)) continue;
        this.#waiting.delete(waiter);
        waiter.resolve(event);
      }
    }
  }
}
