/** `/metrics` of a worker: how it stands, and how its attempts ended. It has a port of its own, since a worker has no other API. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { limits } from "../model/limits.ts";
import { checkExposure, checkHost, TokenCheck } from "./auth/access.ts";
import { addBuildInfo, LabelBudget, removeMisnamed, taskBuckets } from "./routes/metricParts.ts";

/** What the worker tells when it is asked. */
export interface WorkerFigures {
  readonly isAttached: boolean;
  readonly running: number;
  readonly capacity: number;
  /** Results that no master has settled yet. */
  readonly outbox: number;
}

export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #attempts: Counter<"kind" | "outcome">;
  readonly #seconds: Histogram<"kind">;
  readonly #kinds = new LabelBudget();

  constructor(read: () => WorkerFigures) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    removeMisnamed(this.#registry);
    addBuildInfo(registers);
    const gauge = (name: string, help: string, value: (figures: WorkerFigures) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value(read()));
        },
      });
    gauge("outlast_worker_attached", "1 while the worker is attached to a leader.", ({ isAttached }) =>
      Number(isAttached),
    );
    gauge("outlast_worker_running", "Attempts that run.", ({ running }) => running);
    gauge("outlast_worker_capacity", "Attempts that may run at the same time.", ({ capacity }) => capacity);
    gauge("outlast_worker_outbox_results", "Results that no master has settled yet.", ({ outbox }) => outbox);
    this.#attempts = new Counter({
      name: "outlast_worker_attempts_total",
      help: "Attempts that have ended on this worker.",
      labelNames: ["kind", "outcome"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "outlast_worker_attempt_duration_seconds",
      help: "How long attempts ran on this worker.",
      labelNames: ["kind"],
      buckets: taskBuckets,
      registers,
    });
  }

  ended(kind: string, outcome: string, tookMs: number): void {
    const label = this.#kinds.name(kind);
    this.#attempts.inc({ kind: label, outcome });
    this.#seconds.observe({ kind: label }, tookMs / 1000);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /**
   * Serves `GET /metrics`; beyond this machine only with a token. It does not keep the process alive.
   * @returns the base URL
   * @throws OutlastError if the address may not be listened on
   */
  async listen(address: string, port: number, token: string | null): Promise<string> {
    const check = token === null ? null : new TokenCheck(token);
    checkExposure(address, check);
    const server = createServer((request, response) => {
      const answer = async () => {
        if (check === null) checkHost(request.headers.host, "");
        else check.check(request.headers.authorization);
        if (request.method !== "GET" || request.url !== "/metrics") return void response.writeHead(404).end();
        const text = await this.text();
        response.writeHead(200, { "content-type": this.#registry.contentType }).end(text);
      };
      answer().catch(() => response.writeHead(403).end());
    });
    server.maxConnections = limits.connectionsPerAddressMax;
    server.unref();
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, address, resolve));
    const bound = server.address() as AddressInfo;
    return `http://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }
}
