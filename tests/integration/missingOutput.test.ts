/** Output that went with its worker: whoever reads the log is told that it is missing. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { folder, Started } from "./commands.ts";

test("a worker that is taken away while no master answers leaves a hole that is told of", async () => {
  const port = String(await findFreePort());
  const masters = `http://127.0.0.1:${port}`;
  const env = { OUTLAST_MASTERS: masters };
  const asMaster = ["master", "--port", port, "--store", "sqlite:missing/x.db"];
  const first = new Started(asMaster);
  await first.line(/^outlast master ready at /);
  const client = createClient({ masters });
  const asWorker = (name: string) => new Started(["worker", "--name", name, "--data", `missing-${name}`], { env });
  const worker = asWorker("a");
  await worker.line(/attached to a master/);
  const [goOn, done] = [join(folder, "go-on"), join(folder, "printed")];
  const script = `if [ -e ${done} ]; then echo again; exit; fi; echo before; until [ -e ${goOn} ]; do sleep 0.05; done; echo hidden; touch ${done}; sleep 60`;
  await client.submit({ id: "t", kind: "exec", input: { command: [script], shell: true } });
  for await (const item of client.follow("t")) if (item.kind === "log") break;

  first.child.kill("SIGKILL");
  await first.ended;
  writeFileSync(goOn, "");
  await vi.waitFor(() => expect(existsSync(done)).toBe(true), 10_000);
  worker.child.kill("SIGKILL");
  await worker.ended;
  rmSync(join(folder, "missing-a"), { recursive: true });

  const second = new Started(asMaster);
  await second.line(/^outlast master ready at /);
  const following = new Started(["logs", "t", "--follow"], { env });
  const other = asWorker("b");
  expect(await client.wait("t")).toMatchObject({ state: "success", attempt: 2 });
  const told = /the worker was lost: what it wrote last may be missing here/;
  const followed = await following.ended;
  expect(followed.stdout).toBe("before\nagain\n");
  expect(followed.stderr).toMatch(told);
  const read = await new Started(["logs", "t", "--attempt", "1"], { env }).ended;
  expect([read.stdout, read.stderr]).toEqual(["before\n", expect.stringMatching(told)]);
  const whole = await new Started(["logs", "t"], { env }).ended;
  expect([whole.stdout, whole.stderr]).toEqual(["again\n", ""]);
  const json = await new Started(["logs", "t", "--attempt", "1", "--json"], { env }).ended;
  expect(json.stdout).toContain('{"kind":"missing","attempt":1,"bytes":null}');
  for (const { child } of [second, other]) child.kill("SIGKILL");
});
