/** What the doctor finds where masters do not belong together. */
import { expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { type Started, start } from "./commands.ts";

/** @returns its address */
async function startMaster(...more: readonly string[]): Promise<[Started, string]> {
  const port = String(await findFreePort());
  const master = start("master", "--port", port, ...more);
  await master.line(/^outlast master ready at /);
  return [master, `http://127.0.0.1:${port}`];
}

test("masters on different stores, and with the same name, are told of, also those that only others know", async () => {
  const [first, one] = await startMaster("--name", "m1", "--store", "sqlite:shared/x.db");
  const [second, two] = await startMaster("--name", "m1", "--store", "sqlite:shared/x.db");
  const [third, three] = await startMaster("--name", "m3", "--store", "memory:");
  const doctor = (masters: string) => start("doctor", "--masters", masters, "--data", "none").ended;

  await expect.poll(async () => (await doctor(one)).stdout).toContain(`2 masters are called m1: ${one}, ${two}.`);
  expect(await doctor(one)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok +leader +m1 at /m) as string });

  const split = await doctor(`${one},${three}`);
  expect(split).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^BAD +store +The masters are on 2 stores/m) as string,
  });
  expect(split.stdout).toContain(`${three} on memory`);
  expect((await start("masters", "--masters", `${one},${three}`).ended).stderr).toMatch(/They are on different stores/);
  for (const master of [first, second, third]) master.child.kill("SIGTERM");
  await Promise.all([first, second, third].map((master) => master.ended));
});

test("a master that takes connections and does not answer is told of, and does not hold it up", async () => {
  const [master, address] = await startMaster("--store", "memory:");
  master.child.kill("SIGSTOP");
  const told = await start("doctor", "--masters", address, "--data", "none").ended;
  expect(told).toMatchObject({ code: 1, stdout: expect.stringContaining(`${address} takes connections`) as string });
  master.child.kill("SIGKILL");
});
