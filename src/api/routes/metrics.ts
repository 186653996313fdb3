/** What `/metrics` shows, by the conventions of Prometheus. The number of label values is bounded, so that nobody can flood it. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { MasterObserver } from "../../master/journal/loopStats.ts";
import type { MasterApi, MasterStatus } from "../../master/service/masterApi.ts";
import { type TaskState, taskStates } from "../../model/task.ts";
import { waitingReasons } from "../../model/waiting.ts";
import { type Streams, streamKinds } from "../events/streams.ts";
import { statusOrNull } from "../http/headers.ts";
import type { Relay } from "../http/relay.ts";
import { addBuildInfo, LabelBudget, taskBuckets } from "./metricParts.ts";
import { addProcessMetrics } from "./processMetrics.ts";
import { addWebhookFigures } from "./webhookMetrics.ts";

const roles: readonly MasterStatus["role"][] = ["starting", "standby", "leader", "stopping"];

/** From a commit on a fast disk to the longest that a request waits, in seconds. */
const commitBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #requestSeconds: Histogram<"route">;

  constructor(master: MasterApi, streams: Streams, relay: Relay) {
    const registers = [this.#registry];
    addProcessMetrics(this.#registry);
    this.#requests = new Counter({
      name: "outlast_http_requests_total",
      help: "Answered requests.",
      labelNames: ["route", "method", "status"],
      registers,
    });
    this.#requestSeconds = new Histogram({
      name: "outlast_http_request_seconds",
      help: "Time from the headers of a request to the end of its answer, without streams.",
      labelNames: ["route"],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    });
    addTaskGauge(master, registers);
    addWaitingGauge(master, registers);
    addElectionFigures(master, registers);
    addRelayFigures(relay, registers);
    addMasterGauges(master, registers);
    addCommitFigures(master, registers);
    addBuildInfo(registers);
    addWebhookFigures(master, registers);
    master.observe(createObserver(registers));
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

function addWaitingGauge(master: MasterApi, registers: Registry[]): void {
  new Gauge({
    name: "outlast_waiting_tasks",
    help: "Tasks that wait, by reason. Only the leader knows them; a standby shows 0.",
    labelNames: ["reason"],
    registers,
    collect() {
      const { waiting } = master.stats();
      for (const reason of waitingReasons) this.set({ reason }, waiting[reason] ?? 0);
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
  gauge("outlast_oldest_wait_seconds", "Waiting time of the first task of the queue that waits longest.", () => {
    return master.stats().oldestWaitMs / 1000;
  });
  new Gauge({
    name: "outlast_slots",
    help: "Slots of connected workers.",
    labelNames: ["state"],
    registers,
    collect() {
      const { total, used } = master.stats().slots;
      this.set({ state: "used" }, used);
      this.set({ state: "free" }, Math.max(0, total - used));
    },
  });
}

function addElectionFigures(master: MasterApi, registers: Registry[]): void {
  const gauge = gauges(registers);
  gauge("outlast_epoch", "Epoch of the leader that this master knows.", () => statusOrNull(master)?.epoch ?? 0);
  gauge("outlast_is_leader", "1 while this master leads.", () => (statusOrNull(master)?.role === "leader" ? 1 : 0));
  gauge("outlast_masters", "Masters that share the store and are alive.", () => master.members().length);
  gauge("outlast_lag_entries", "Journal entries that this master is behind, by the records of the masters.", () => {
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
  total("outlast_elections_total", "Changes of the leader that this master has seen.", () => master.stats().elections);
  total("outlast_role_changes_total", "Changes of this master's own role.", () => master.stats().roleChanges);
  total(
    "outlast_drifts_total",
    "Times that a standby's memory differed from the leader's; anything but 0 is a bug.",
    () => {
      return master.stats().drifts;
    },
  );
}

function addRelayFigures(relay: Relay, registers: Registry[]): void {
  gauges(registers)(
    "outlast_relays",
    "Requests and streams that are being relayed to the leader.",
    () => relay.openCount,
  );
  const total = totals(registers);
  total("outlast_relays_answered_total", "Relayed requests that the leader answered.", () => {
    return relay.counts.answered;
  });
  total("outlast_relays_failed_total", "Requests that this standby could not relay.", () => relay.counts.failed);
}

function addCommitFigures(master: MasterApi, registers: Registry[]): void {
  const total = totals(registers);
  total("outlast_commits_total", "Committed journal entries.", () => master.stats().commits);
  total("outlast_inputs_total", "Inputs that the scheduler has processed.", () => master.stats().inputs);
  total("outlast_writes_total", "Records written to the journal.", () => master.stats().writes);
}

/** Counts what this master commits while it leads. */
function createObserver(registers: Registry[]): MasterObserver {
  const commit = new Histogram({
    name: "outlast_commit_duration_seconds",
    help: "Duration of commits to the store.",
    buckets: commitBuckets,
    registers,
  });
  const wait = new Histogram({
    name: "outlast_task_wait_seconds",
    help: "Time from when a task could have started until an attempt was assigned.",
    labelNames: ["queue"],
    buckets: taskBuckets,
    registers,
  });
  const attempt = new Histogram({
    name: "outlast_attempt_duration_seconds",
    help: "Time from the assignment of an attempt to its end.",
    labelNames: ["kind"],
    buckets: taskBuckets,
    registers,
  });
  const countAttempt = countByState(
    "outlast_attempts_ended_total",
    "Attempts that ended, by the state of the task afterwards; `killed` means that the worker was lost.",
    registers,
  );
  const countTask = countByState("outlast_tasks_ended_total", "Tasks that ended, by their final state.", registers);
  const queues = new LabelBudget();
  const kinds = new LabelBudget();
  return {
    committed: (tookMs) => commit.observe(tookMs / 1000),
    began: ({ queue }, waitedMs) => wait.observe({ queue: queues.name(queue) }, waitedMs / 1000),
    attemptEnded: (task, state, ranMs) => {
      const kind = kinds.name(task.kind);
      attempt.observe({ kind }, ranMs / 1000);
      countAttempt(queues.name(task.queue), kind, state);
    },
    taskEnded: (task, state) => countTask(queues.name(task.queue), kinds.name(task.kind), state),
  };
}

/** The counter itself is brought up to date when it is read: it looks its labels up each time, and every task is counted. */
function countByState(name: string, help: string, registers: Registry[]) {
  const labelNames = ["queue", "kind", "state"] as const;
  const counts = new Map<string, number>();
  new Counter({
    ...{ name, help, labelNames, registers },
    collect() {
      for (const [key, count] of counts) {
        const [queue = "", kind = "", state = ""] = key.split(" ");
        this.inc({ queue, kind, state }, count);
      }
      counts.clear();
    },
  });
  // None of the three can hold a space.
  return (queue: string, kind: string, state: TaskState): void => {
    const key = `${queue} ${kind} ${state}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
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
