/** What a health check of a worker is answered. */
import { expect, test } from "vitest";
import { openHealthPort } from "./healthPort.ts";

test("says that the process runs, whether it is ready, and nothing else", async () => {
  let isReady = false;
  const health = await openHealthPort(0, () => isReady);
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
  const health = await openHealthPort(0, () => true);
  await expect(openHealthPort(health.port, () => true)).rejects.toMatchObject({ code: "EADDRINUSE" });
  await health.close();
});
