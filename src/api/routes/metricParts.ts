/** What the metrics of masters and workers have in common. */
import { Gauge, type Registry } from "prom-client";
import { limits } from "../../model/limits.ts";
import { packageVersion } from "./packageVersion.ts";

/** From a task that starts at once to a backlog of a day, in seconds. */
export const taskBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600, 14_400, 86_400];

export function addBuildInfo(registers: Registry[]): void {
  new Gauge({
    name: "outlast_build_info",
    help: "Always 1; the labels tell the versions of Outlast and Node.",
    labelNames: ["version", "node"],
    registers,
  }).set({ version: packageVersion(), node: process.versions.node }, 1);
}

/** Clients choose the names of queues and kinds. Beyond so many of them the rest share one label. */
export class LabelBudget {
  readonly #known = new Set<string>();

  name(text: string): string {
    if (this.#known.has(text)) return text;
    if (this.#known.size >= limits.metricLabelsMax) return "other";
    this.#known.add(text);
    return text;
  }
}
