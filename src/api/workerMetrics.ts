/** `/metrics` of a worker: how it stands, and how its attempts ended. They stand at its health port, since a worker has no API. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { OutlastError } from "../model/errors.ts";
import { checkHost, isLoopback, TokenCheck } from "./auth/access.ts";
import { addBuildInfo, LabelBudget, taskBuckets } from "./routes/metricParts.ts";
import { addProcessMetrics } from "./routes/processMetrics.ts";

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
    addProcessMetrics(this.#registry);
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
   * Answers a request for them. With a token, everybody needs it; without one, they are for callers on this machine only, and for no
   * page of a foreign name that was pointed at it.
   */
  answer(request: IncomingMessage, response: ServerResponse, token: string | null): void {
    const send = async () => {
      if (token !== null) new TokenCheck(token).check(request.headers.authorization);
      else checkLocal(request);
      const text = await this.text();
      response.writeHead(200, { "content-type": this.#registry.contentType }).end(text);
    };
    send().catch((error: unknown) => {
      const message = error instanceof OutlastError ? error.message : "The metrics cannot be read.";
      response.writeHead(403, { "content-type": "text/plain" }).end(`${message}\n`);
    });
  }
}

/** @throws OutlastError `forbidden` */
function checkLocal({ headers, socket }: IncomingMessage): void {
  checkHost(headers.host, "");
  if (isLoopback((socket.remoteAddress ?? "").replace(/^::ffff:/, ""))) return;
  throw new OutlastError("forbidden", "Metrics of a worker without a token are for its own machine only.");
}
