/** The first user of an open `outlast up`: from then on everybody needs a credential, and nothing that runs notices it. */
import { expect, test, vi } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { Started } from "./commands.ts";

test("cuts off none of its workers, and lets those that die come back", async () => {
  const port = String(await findFreePort());
  const masters = `http://127.0.0.1:${port}`;
  const up = new Started(["up", "--port", port, "--workers", "1", "--data", "first-user"]);
  const ready = await up.line(/worker-1 is ready/);
  expect(ready).toContain("ready");
  const anybody = createClient({ masters });
  await anybody.submit({
    id: "before",
    kind: "exec",
    input: { command: ["echo begun; sleep 3; env"], shell: true },
  });
  for await (const item of anybody.follow("before")) if (item.kind === "log") break;

  const password = "correct horse battery";
  await anybody.people.addUser({ name: "ada", role: "admin", password });
  await expect(anybody.get("before")).rejects.toMatchObject({ code: "unauthorized" });
  const { token } = await anybody.people.signIn("ada", password);
  const ada = createClient({ masters, token });
  expect(await ada.wait("before")).toMatchObject({ state: "success", attempt: 1, kills: 0 });

  const pieces: Uint8Array[] = [];
  for await (const item of ada.follow("before")) if (item.kind === "log") pieces.push(item.bytes);
  expect(Buffer.concat(pieces).toString()).not.toContain("OUTLAST_WORKER_TOKEN");
  expect(Buffer.concat(pieces).toString()).not.toContain("OUTLAST_TOKEN");

  const pidOf = async () =>
    (await ada.workers()).find(({ id, state }) => id === "worker-1" && state === "connected")?.pid;
  const first = await pidOf();
  process.kill(first ?? 0, "SIGKILL");
  await vi.waitFor(async () => expect([undefined, first]).not.toContain(await pidOf()));
  const { id } = await ada.submit({ kind: "sleep", input: { seconds: 0 } });
  expect(await ada.wait(id)).toMatchObject({ state: "success" });
  up.child.kill("SIGKILL");
  const { stderr } = await up.ended;
  expect(stderr).not.toMatch(/unauthorized|could not be told/);
});
