/** What a health check of a worker is answered. */
import { expect, test } from "vitest";
import { openHealthPort } from "./healthPort.ts";

test("says that the process runs, whether it is ready, and nothing else", async () => {
  let isReady = false;
  const health = await openHealthPort({ port: 0, isReady: () => isReady });
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${health.port}${path}`)).status;
  try {
    expect(await ask("/healthz")).toBe(200);
    expect(await ask("/readyz")).toBe(503);
    isReady = true;
    expect(await ask("/readyz")).toBe(200);
    expect(await ask("/v1/tasks")).toBe(404);
  } finally {
    await health.close();
  }
});

test("refuses a port that is taken", async () => {
  const health = await openHealthPort({ port: 0, isReady: () => true });
  await expect(openHealthPort({ port: health.port, isReady: () => true })).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
  await health.close();
});

test("hands requests for metrics on, and no others", async () => {
  const health = await openHealthPort({
    port: 0,
    address: "127.0.0.1",
    isReady: () => true,
    answerMetrics: (_request, response) => void response.end("figures"),
  });
  const ask = (path: string, method = "GET") => fetch(`http://127.0.0.1:${health.port}${path}`, { method });
  expect(await (await ask("/metrics")).text()).toBe("figures");
  expect((await ask("/metrics", "POST")).status).toBe(404);
  expect(await (await ask("/healthz")).text()).toBe("ok\n");
  await health.close();
});
