/** What `/metrics` shows, in the words of Prometheus. Labels come from fixed lists only, so that nobody can flood it. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { MasterFace, MasterStats, MasterStatus } from "../master/face.ts";
import { taskStates } from "../model/task.ts";
import { statusOrNull } from "./headers.ts";
import type { Streams } from "./streams.ts";

const roles: readonly MasterStatus["role"][] = ["starting", "standby", "leader", "stopping"];
const quantiles = [0.5, 0.9, 0.99, 1];

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #requestSeconds: Histogram<"route">;

  constructor(master: MasterFace, streams: Streams) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: "outlast_http_requests_total",
      help: "Answered requests.",
      labelNames: ["route", "method", "status"],
      registers,
    });
    this.#requestSeconds = new Histogram({
      name: "outlast_http_request_seconds",
      help: "From the head of a request to the end of its answer; streams are left out.",
      labelNames: ["route"],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    });
    addTaskGauge(master, registers);
    addMasterGauges(master, registers);
    addCommitGauges(master, registers);
    new Gauge({
      name: "outlast_streams",
      help: "Open streams.",
      labelNames: ["kind"],
      registers,
      collect() {
        this.set({ kind: "client" }, streams.count("client"));
        this.set({ kind: "worker" }, streams.count("worker"));
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** @param route the pattern of the route, never the URL that was asked for; null if there is none */
  countRequest(route: string | null, method: string, status: number, seconds: number | null): void {
    const label = route ?? "none";
    this.#requests.inc({ route: label, method: route === null ? "any" : method, status });
    if (seconds !== null) this.#requestSeconds.observe({ route: label }, seconds);
  }
}

function addTaskGauge(master: MasterFace, registers: Registry[]): void {
  new Gauge({
    name: "outlast_tasks",
    help: "Tasks by state.",
    labelNames: ["state"],
    registers,
    collect() {
      const { tasks } = master.stats();
      for (const state of taskStates) this.set({ state }, tasks[state] ?? 0);
    },
  });
}

function addMasterGauges(master: MasterFace, registers: Registry[]): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("outlast_epoch", "Epoch of the leader that this master knows.", () => statusOrNull(master)?.epoch ?? 0);
  gauge("outlast_seq", "Last journal entry known to be committed.", () => statusOrNull(master)?.seq ?? 0);
  gauge("outlast_store_in_trouble", "1 while nothing can be committed.", () =>
    (statusOrNull(master)?.trouble ?? null) === null ? 0 : 1,
  );
  gauge("outlast_inbox_length", "Inputs that wait for the next commit.", () => master.stats().inboxLength);
  gauge("outlast_workers_connected", "Workers whose stream is open.", () => master.stats().workersConnected);
  new Gauge({
    name: "outlast_role",
    help: "1 for the role that this master has.",
    labelNames: ["role"],
    registers,
    collect() {
      const role = statusOrNull(master)?.role ?? "starting";
      for (const each of roles) this.set({ role: each }, each === role ? 1 : 0);
    },
  });
}

function addCommitGauges(master: MasterFace, registers: Registry[]): void {
  const total = (name: string, help: string, read: (stats: MasterStats) => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        // The master counts by itself; here its count is only shown.
        this.reset();
        this.inc(read(master.stats()));
      },
    });
  total("outlast_commits_total", "Committed journal entries.", (stats) => stats.commits);
  total("outlast_inputs_total", "Inputs decided upon.", (stats) => stats.inputs);
  total("outlast_writes_total", "Records written.", (stats) => stats.writes);
  new Gauge({
    name: "outlast_commit_seconds",
    help: "How long the last thousand commits took.",
    labelNames: ["quantile"],
    registers,
    collect() {
      const { commitMs } = master.stats();
      for (const quantile of quantiles) this.set({ quantile }, (at(commitMs, quantile) ?? 0) / 1000);
    },
  });
}

/** The value at a quantile of an ascending list. */
function at(ascending: readonly number[], quantile: number): number | undefined {
  return ascending[Math.max(0, Math.ceil(ascending.length * quantile) - 1)];
}
