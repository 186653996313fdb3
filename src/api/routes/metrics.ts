/** What `/metrics` shows, in the words of Prometheus. Labels come from fixed lists only, so that nobody can flood it. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { MasterApi, MasterStatus } from "../../master/service/masterApi.ts";
import { taskStates } from "../../model/task.ts";
import { type Streams, streamKinds } from "../events/streams.ts";
import { statusOrNull } from "../http/headers.ts";
import type { Relay } from "../http/relay.ts";

const roles: readonly MasterStatus["role"][] = ["starting", "standby", "leader", "stopping"];
const quantiles = { p50: 0.5, p90: 0.9, p99: 0.99, max: 1 } as const;

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #requestSeconds: Histogram<"route">;

  constructor(master: MasterApi, streams: Streams, relay: Relay) {
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
    addElectionFigures(master, registers);
    addRelayFigures(relay, registers);
    addMasterGauges(master, registers);
    addCommitGauges(master, registers);
    new Gauge({
      name: "outlast_streams",
      help: "Open streams.",
      labelNames: ["kind"],
      registers,
      collect() {
        for (const kind of streamKinds) this.set({ kind }, streams.count(kind));
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

function addTaskGauge(master: MasterApi, registers: Registry[]): void {
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

function addMasterGauges(master: MasterApi, registers: Registry[]): void {
  const gauge = gauges(registers);
  gauge("outlast_seq", "Last journal entry known to be committed.", () => statusOrNull(master)?.seq ?? 0);
  gauge("outlast_store_in_trouble", "1 while nothing can be committed.", () =>
    (statusOrNull(master)?.trouble ?? null) === null ? 0 : 1,
  );
  gauge("outlast_inbox_length", "Inputs that wait for the next commit.", () => master.stats().inboxLength);
  gauge("outlast_workers_connected", "Workers whose stream is open.", () => master.stats().workersConnected);
}

function addElectionFigures(master: MasterApi, registers: Registry[]): void {
  const gauge = gauges(registers);
  gauge("outlast_epoch", "Epoch of the leader that this master knows.", () => statusOrNull(master)?.epoch ?? 0);
  gauge("outlast_is_leader", "1 while this master leads.", () => (statusOrNull(master)?.role === "leader" ? 1 : 0));
  gauge("outlast_masters", "Masters whose notes this one sees.", () => master.members().length);
  gauge("outlast_lag_entries", "Journal entries that this master is behind, as far as the masters' notes tell.", () => {
    const nonce = statusOrNull(master)?.nonce;
    return master.members().find((member) => member.nonce === nonce)?.lag ?? 0;
  });
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
  const total = totals(registers);
  total("outlast_elections_total", "Changes of the leader that were seen.", () => master.stats().elections);
  total("outlast_role_changes_total", "Changes of this master's own role.", () => master.stats().roleChanges);
  total("outlast_drifts_total", "Times that a standby's memory was not the leader's; anything but 0 is a bug.", () => {
    return master.stats().drifts;
  });
}

function addRelayFigures(relay: Relay, registers: Registry[]): void {
  gauges(registers)("outlast_relays", "Requests and streams being passed on to the leader.", () => relay.openCount);
  const total = totals(registers);
  total("outlast_relays_answered_total", "Requests that the leader answered over this standby.", () => {
    return relay.counts.answered;
  });
  total("outlast_relays_failed_total", "Requests that this standby could not pass on.", () => relay.counts.failed);
}

function addCommitGauges(master: MasterApi, registers: Registry[]): void {
  const total = totals(registers);
  total("outlast_commits_total", "Committed journal entries.", () => master.stats().commits);
  total("outlast_inputs_total", "Inputs decided upon.", () => master.stats().inputs);
  total("outlast_writes_total", "Records written.", () => master.stats().writes);
  new Gauge({
    name: "outlast_commit_seconds",
    help: "How long the last thousand commits took.",
    labelNames: ["quantile"],
    registers,
    collect() {
      const { commitMs } = master.stats();
      for (const [name, quantile] of Object.entries(quantiles))
        this.set({ quantile }, (commitMs[name as keyof typeof quantiles] ?? 0) / 1000);
    },
  });
}

/** Makes gauges that are read when they are asked for. */
function gauges(registers: Registry[]) {
  return (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
}

/** Makes counters of what is counted elsewhere, and only shown here. */
function totals(registers: Registry[]) {
  return (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
}
