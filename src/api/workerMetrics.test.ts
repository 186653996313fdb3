/** `/metrics` of a worker: the format, the figures, and who may read them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lintMetrics } from "../proof/metrics/lint.ts";
import { WorkerMetrics } from "./workerMetrics.ts";

const figures = { isAttached: true, running: 2, capacity: 4, outbox: 1 };

test("a worker's metrics keep the conventions, follow its attempts, and are documented", async () => {
  const metrics = new WorkerMetrics(() => figures);
  metrics.ended("sleep", "success", 1500);
  metrics.ended("sleep", "failed", 500);
  const url = await metrics.listen("127.0.0.1", 0, null);
  const answer = await fetch(`${url}/metrics`);
  const text = await answer.text();
  expect(answer.headers.get("content-type")).toContain("text/plain");
  expect(lintMetrics(text)).toEqual([]);
  expect(text).toContain("outlast_worker_running 2\n");
  expect(text).toContain('outlast_worker_attempts_total{kind="sleep",outcome="failed"} 1\n');
  expect(text).toContain('outlast_worker_attempt_duration_seconds_sum{kind="sleep"} 2\n');
  const page = readFileSync(join(import.meta.dirname, "../../docs/operating.md"), "utf8");
  const names = [...text.matchAll(/^# TYPE (outlast_\w+)/gm)].map(([, name]) => name!);
  expect(names.filter((name) => !page.includes(`\`${name}`))).toEqual([]);
  expect((await fetch(`${url}/other`)).status).toBe(404);
});

test("beyond this machine a token is needed, to listen and to read", async () => {
  const metrics = new WorkerMetrics(() => figures);
  await expect(metrics.listen("0.0.0.0", 0, null)).rejects.toMatchObject({ code: "bad-request" });
  const token = "a token of at least sixteen characters";
  const url = await metrics.listen("127.0.0.1", 0, token.replaceAll(" ", "-"));
  expect((await fetch(`${url}/metrics`)).status).toBe(403);
  const headers = { authorization: `Bearer ${token.replaceAll(" ", "-")}` };
  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
});
