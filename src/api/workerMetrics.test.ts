/** `/metrics` of a worker: the format, the figures, and who may read them. */
import { readFileSync } from "node:fs";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { lintMetrics } from "../proof/metrics/lint.ts";
import { WorkerMetrics } from "./workerMetrics.ts";

const figures = { isAttached: true, running: 2, capacity: 4, outbox: 1 };

test("a worker's metrics keep the conventions, follow its attempts, and are documented", async () => {
  const metrics = new WorkerMetrics(() => figures);
  metrics.ended("sleep", "success", 1500);
  metrics.ended("sleep", "failed", 500);
  const url = await serve(metrics, null);
  const answer = await fetch(url);
  const text = await answer.text();
  expect(answer.headers.get("content-type")).toContain("text/plain");
  expect(lintMetrics(text)).toEqual([]);
  expect(text).toContain("outlast_worker_running 2\n");
  expect(text).toContain('outlast_worker_attempts_total{kind="sleep",outcome="failed"} 1\n');
  expect(text).toContain('outlast_worker_attempt_duration_seconds_sum{kind="sleep"} 2\n');
  const page = readFileSync(join(import.meta.dirname, "../../docs/operating.md"), "utf8");
  const names = [...text.matchAll(/^# TYPE (outlast_\w+)/gm)].map(([, name]) => name!);
  expect(names.filter((name) => !page.includes(`\`${name}`))).toEqual([]);
});

test("whoever reads them needs the token; where there is none, only this machine may, under a name of its own", async () => {
  const metrics = new WorkerMetrics(() => figures);
  const token = "a-token-of-at-least-sixteen-characters";
  const guarded = await serve(metrics, token);
  expect((await fetch(guarded)).status).toBe(403);
  expect((await fetch(guarded, { headers: { authorization: "Bearer another" } })).status).toBe(403);
  expect((await fetch(guarded, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);

  const open = await serve(metrics, null);
  expect(await statusFor(open, "localhost")).toBe(200);
  expect(await statusFor(open, "attacker.example")).toBe(403);
  const afar = new FakeExchange("10.0.0.7");
  metrics.answer(afar.request, afar.response, null);
  await vi.waitFor(() => expect(afar.status).toBe(403));
});

/** A caller that this machine cannot be. */
class FakeExchange {
  status = 0;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;

  constructor(remoteAddress: string) {
    this.request = { headers: { host: "127.0.0.1" }, socket: { remoteAddress } } as IncomingMessage;
    const response = {
      writeHead: (status: number) => {
        this.status = status;
        return response;
      },
      end: () => response,
    };
    this.response = response as unknown as ServerResponse;
  }
}

/** @returns the address of the metrics */
async function serve(metrics: WorkerMetrics, token: string | null): Promise<string> {
  const server = createServer((request, response) => metrics.answer(request, response, token));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

function statusFor(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { host }, agent: false }, (answer) => resolve(answer.resume().statusCode ?? 0)).once(
      "error",
      reject,
    );
  });
}
