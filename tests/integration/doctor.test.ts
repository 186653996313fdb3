/** What the doctor finds about masters: on different stores, silent, or holding the lock of the store while they are stopped. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { folder, Started, start } from "./commands.ts";

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

  await expect
    .poll(async () => (await doctor(one)).stdout, { timeout: 20_000 })
    .toContain(`2 masters have the name m1: ${one}, ${two}.`);
  expect(await doctor(one)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok +leader +m1 at /m) as string });

  const split = await doctor(`${one},${three}`);
  expect(split).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^BAD +store +The masters use 2 different stores/m) as string,
  });
  expect(split.stdout).toContain(`${three} on memory`);
  expect((await start("masters", "--masters", `${one},${three}`).ended).stderr).toMatch(
    /The masters use different stores/,
  );
  for (const master of [first, second, third]) master.child.kill("SIGTERM");
  await Promise.all([first, second, third].map((master) => master.ended));
});

test("an open cluster is called open, until it has its first user", async () => {
  const [master, address] = await startMaster("--store", "memory:");
  const masters = ["--masters", address];
  const doctor = (token?: string) =>
    new Started(["doctor", ...masters, "--data", "none"], { env: { OUTLAST_TOKEN: token } }).ended;
  expect((await doctor()).stdout).toMatch(/^note +access +This cluster is open: .* everybody .* may do everything/m);
  expect((await start("masters", ...masters).ended).stderr).toContain("This cluster is open");

  const admin = new Started(["user", "add", "ada", "--role", "admin", ...masters], { input: "a good password" });
  expect(await admin.ended).toMatchObject({ code: 0 });
  const login = { XDG_CONFIG_HOME: join(folder, "ada") };
  const signIn = new Started(["login", "ada", ...masters], { input: "a good password", env: login });
  expect(await signIn.ended).toMatchObject({ code: 0 });
  const signedIn = await new Started(["doctor", ...masters, "--data", "none"], { env: login }).ended;
  expect(signedIn.stdout).toMatch(/^ok +access +every request needs a credential$/m);
  const made = await new Started(["token", "add", "x", "--role", "viewer", ...masters], { env: login }).ended;
  const told = await doctor(made.stdout.trim());
  expect(told.stdout).toMatch(/^ok +access +every request needs a credential$/m);
  expect(told.stdout).not.toContain("open");
  master.child.kill("SIGKILL");
});

test("a master that takes connections and does not answer is told of, and does not hold it up", async () => {
  const [master, address] = await startMaster("--store", "memory:");
  master.child.kill("SIGSTOP");
  const told = await start("doctor", "--masters", address, "--data", "none").ended;
  expect(told).toMatchObject({ code: 1, stdout: expect.stringContaining(`${address} accepts connections`) as string });
  master.child.kill("SIGKILL");
});

test("what is known is told at once, also while a master keeps it waiting", async () => {
  const [master, address] = await startMaster("--store", "memory:");
  master.child.kill("SIGSTOP");
  const doctor = start("doctor", "--masters", address, "--data", "none");
  await doctor.line(/^ok +node /);
  await doctor.line(/^Asking /);
  // It answers in time only if the first lines did not have to wait for its silence.
  master.child.kill("SIGCONT");
  expect(await doctor.ended).toMatchObject({ code: 0 });
  master.child.kill("SIGKILL");
});

test.skipIf(process.platform !== "linux")(
  "a master that is stopped and holds the lock of the store is named",
  async () => {
    const store = join(folder, "locked", "x.db");
    const [first, one] = await startMaster("--name", "m1", "--store", `sqlite:${store}`);
    const [second, two] = await startMaster("--name", "m2", "--store", `sqlite:${store}`);
    await stopInWrite(first, one, store);
    const pattern = `Master m1 (process ${first.child.pid}) holds the lock of ${store} and is stopped`;
    const doctor = () => start("doctor", "--masters", two, "--data", join(folder, "locked")).ended;
    // Until the other master has met the lock itself, nobody knows more than that none leads.
    await expect.poll(async () => (await doctor()).stdout, { timeout: 30_000 }).toContain(pattern);
    const told = await doctor();
    expect(told.stdout).toContain(`kill -CONT ${first.child.pid}`);
    expect(told.code).toBe(1);
    expect((await start("masters", "--masters", two).ended).stderr).toContain(pattern);

    first.child.kill("SIGCONT");
    await expect
      .poll(async () => (await start("doctor", "--masters", two, "--data", "none").ended).code, { timeout: 30_000 })
      .toBe(0);
    for (const master of [first, second]) master.child.kill("SIGTERM");
    await Promise.all([first, second].map((master) => master.ended));
  },
);

/** Gives it work without a pause and stops it again and again, until it is stopped in the middle of a write. */
async function stopInWrite({ child }: Started, address: string, store: string): Promise<void> {
  const client = createClient({ masters: address });
  let isStopped = false;
  const work = (async () => {
    while (!isStopped)
      await client
        .submitAll(Array.from({ length: 500 }, () => ({ kind: "sleep", input: { seconds: 0 }, queue: "nobody" })))
        .catch(() => {});
  })();
  // A write that ends before all of its threads have stopped, and one of the other master, let the lock go in this time.
  using database = new DatabaseSync(store, { timeout: 500 });
  for (let tries = 0; tries < 2000; tries++) {
    // It has a moment to go on with its work, and more so the busier it is.
    await fetch(`${address}/healthz`);
    child.kill("SIGSTOP");
    try {
      database.exec("BEGIN IMMEDIATE; ROLLBACK");
    } catch {
      isStopped = true;
      void work;
      return;
    }
    child.kill("SIGCONT");
  }
  throw new Error("It was never in the middle of a write.");
}
