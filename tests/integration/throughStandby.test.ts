/** A command that reaches a standby only says what the leader knows of a task, and what the standby knows where no leader answers. */
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { Started } from "./commands.ts";

const program = join(import.meta.dirname, "../../bin/outlast.js");

test("how far a task is and why it waits", async () => {
  const [first, second] = [await findFreePort(), await findFreePort()];
  const startMaster = async (port: number) => {
    const words = ["master", "--port", String(port), "--name", `m${port}`, "--store", "sqlite:standby/x.db"];
    const master = new Started(words);
    await master.line(/^outlast master ready at /);
    return master;
  };
  const leader = await startMaster(first);
  const standby = await startMaster(second);
  const worker = new Started([
    "worker",
    "--masters",
    `http://127.0.0.1:${first}`,
    "--name",
    "w",
    "--data",
    "standby-w",
  ]);
  await worker.line(/attached to a master/);
  const client = createClient({ masters: `http://127.0.0.1:${first}` });
  const command = [`'${process.execPath}' '${program}' progress 3 10 'reading'; sleep 60`];
  await client.submit({ id: "runs", kind: "exec", input: { command, shell: true } });
  await client.submit({ id: "waits", kind: "sleep", input: { seconds: 0 }, queue: "nobody" });
  await vi.waitFor(async () => expect((await client.get("runs")).progress?.done).toBe(3), 20_000);

  const show = (id: string) => new Started(["show", id, "--masters", `http://127.0.0.1:${second}`]).ended;
  await vi.waitFor(async () => expect((await show("runs")).stdout).toMatch(/^state +running/m), 20_000);
  expect((await show("runs")).stdout).toMatch(/^progress +3 of 10, reading$/m);
  expect((await show("waits")).stdout).toMatch(/^waits +no connected worker serves queue nobody/m);
  leader.child.kill("SIGSTOP");
  expect(await show("runs")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^id +runs$/m) as string });
  for (const { child } of [worker, leader, standby]) child.kill("SIGKILL");
});
