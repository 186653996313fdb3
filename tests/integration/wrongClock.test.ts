/** A master that was started under a wrong wall clock: nothing starts early by it, and the doctor says by how much it is wrong. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { folder, Started, start } from "./commands.ts";

const hour = 3_600_000;
/** The wall clock is an hour ahead until SIGUSR2 corrects it. */
const wrongClock = `
const right = Date.now;
Date.now = () => right() + ${hour};
process.on("SIGUSR2", () => { Date.now = right; });
`;

test("a clock that was an hour ahead at the start and was set back starts nothing early, and is told of", async () => {
  const preload = join(folder, "wrongClock.mjs");
  writeFileSync(preload, wrongClock);
  const port = String(await findFreePort());
  const address = `http://127.0.0.1:${port}`;
  const master = new Started(["master", "--port", port, "--store", "memory:"], {
    env: { NODE_OPTIONS: `--import=${preload}` },
  });
  await master.line(/ready/);
  const worker = start("worker", "--masters", address, "--data", "clock", "--name", "w");
  await worker.line(/ready/);
  master.child.kill("SIGUSR2");
  const client = createClient({ masters: address });
  await expect
    .poll(async () => (await client.status()).clockOffsetMs, { timeout: 30_000 })
    .toSatisfy((offsetMs: number) => Math.abs(offsetMs - hour) < hour / 2);
  // By the master's count this instant has passed long ago; by the wall clock it has not.
  const later = await client.submit({ kind: "sleep", input: { seconds: 0 }, startAt: Date.now() + hour / 2 });
  const now = await client.submit({ kind: "sleep", input: { seconds: 0 } });
  expect(await client.wait(now.id)).toMatchObject({ state: "success" });
  expect(await client.get(later.id)).toMatchObject({ state: "created", attempt: 0 });
  const { stdout } = await start("doctor", "--masters", address, "--data", "none").ended;
  expect(stdout).toMatch(/^note +clock +The leader at \S+ counts time .* ahead of its machine's wall clock\.$/m);
  for (const each of [worker, master]) each.child.kill("SIGKILL");
});
