/** Webhooks between real processes: signed, delivered although the leader is killed, and refused where they may not go. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { OutlastError } from "../../src/model/errors.ts";
import { type Scene, scene } from "./scene.ts";
import { Receiver } from "./webhookReceiver.ts";

const program = fileURLToPath(new URL("../../bin/outlast.js", import.meta.url));
const allowing = { masterArguments: ["--webhook-private"] };

let receiver = new Receiver();
afterEach(() => {
  receiver.stop();
  receiver = new Receiver();
});

function ended(play: Scene, count: number): Promise<unknown> {
  return play.until(
    `${count} ends to be told`,
    () => new Set(receiver.messages.map(({ task }) => task.id)).size >= count,
  );
}

test("ends are told, signed, with what happened", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      const { secret = "" } = await play.client.webhooks.put("all", { url: await receiver.start() });
      receiver.secret = secret;
      await play.client.submit({ id: "good", name: "nightly", kind: "exec", input: { command: ["true"] } });
      await play.client.submit({ id: "bad", kind: "exec", input: { command: ["false"] }, attemptsMax: 1 });
      await ended(play, 2);
      expect(receiver.refused).toEqual([]);
      const byTask = new Map(receiver.messages.map((message) => [message.task.id, message]));
      expect(byTask.get("good")).toMatchObject({
        type: "task.success",
        task: { name: "nightly", attempt: 1, kind: "exec" },
      });
      expect(byTask.get("bad")).toMatchObject({ type: "task.failed", task: { exit: { code: 1 }, failures: 1 } });
      await play.until("both to be counted", async () => (await play.client.webhooks.get("all")).delivered === 2);
    },
    allowing,
  ));

test("a leader that is killed with SIGKILL loses no delivery: the next one sends what its receiver had not taken", () =>
  scene(
    ["m1"],
    async (play) => {
      await Promise.all(["m2", "worker-1"].map((process) => play.cluster.start(process)));
      const { secret = "" } = await play.client.webhooks.put("all", { url: await receiver.start() });
      receiver.secret = secret;
      receiver.status = null;
      const ids = Array.from({ length: 20 }, (_, index) => `t${index}`);
      await play.client.submitAll(ids.map((id) => ({ id, kind: "sleep", input: { seconds: 60 } })));
      // The receiver hangs, and commits go on.
      for (const id of ids) await play.client.cancel(id);
      await play.until("a request to hang", () => receiver.requests > 0);
      expect((await play.client.webhooks.get("all", { consistent: true })).pending).toBe(20);
      receiver.status = 204;
      const leader = (await play.client.masters()).find(({ role }) => role === "leader")?.name ?? "";
      await play.cluster.kill(leader);
      await ended(play, 20);
      expect(receiver.refused).toEqual([]);
      expect(new Set(receiver.messages.map(({ task }) => task.id))).toEqual(new Set(ids));
      await play.until("all to be counted", async () => (await play.client.webhooks.get("all")).pending === 0);
      expect(await play.client.webhooks.get("all")).toMatchObject({ delivered: 20, givenUp: 0, dropped: 0 });
    },
    { ...allowing, masters: ["m1", "m2"] },
  ));

test("a receiver that is away is told once it is back", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      const { secret = "" } = await play.client.webhooks.put("all", { url: await receiver.start() });
      receiver.secret = secret;
      receiver.status = 503;
      await play.client.submit({ id: "a", kind: "sleep", input: { seconds: 0 } });
      const waits = () => Array.fromAsync(play.client.webhooks.deliveries("all"));
      await play.until("a failure", async () => (await waits())[0]?.problem === "The receiver answered 503.");
      receiver.status = 204;
      await ended(play, 1);
      await play.until("nothing to wait", async () => (await waits()).length === 0);
    },
    allowing,
  ));

test("a private address is refused, by its digits at once and by its name when it is called", () =>
  scene(["master"], async (play) => {
    const url = await receiver.start();
    const refusal = await play.client.webhooks.put("direct", { url }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OutlastError);
    expect(refusal).toMatchObject({ code: "invalid", message: expect.stringContaining("--webhook-private") });
    await play.client.webhooks.put("named", { url: url.replace("127.0.0.1", "localhost") });
    await play.client.webhooks.test("named");
    await play.until("the refusal", async () => {
      const { last } = await play.client.webhooks.get("named");
      return last?.problem?.includes("private address");
    });
    expect(receiver.requests).toBe(0);
  }));

test("the commands, and the receiver of the examples", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      const run = async (...words: string[]): Promise<string> => {
        const command = [program, "webhook", ...words, "--masters", play.cluster.address];
        const { stdout } = await promisify(execFile)(process.execPath, command, {
          env: { ...process.env, NO_COLOR: "1" },
        });
        return stdout;
      };
      const port = await findFreePort();
      const secret = (
        await run("add", "example", `http://127.0.0.1:${port}/`, "--on", "failure,late", "--queues", "default")
      ).trim();
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      const script = fileURLToPath(new URL("../../examples/webhook/receiver.ts", import.meta.url));
      const env = { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) };
      const example = spawn(process.execPath, [script], { env, stdio: ["ignore", "pipe", "pipe"] });
      try {
        const lines: string[] = [];
        createInterface({ input: example.stdout }).on("line", (line) => lines.push(line));
        await once(example.stderr, "data");
        expect(await run("test", "example")).toBe("example has taken the test.\n");
        await play.client.submit({ id: "bad", kind: "exec", input: { command: ["false"] }, attemptsMax: 1 });
        await play.until("the failure", () => lines.some((line) => line.includes("task.failed")));
        expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(["test", "task.failed"]);
        const forged = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: lines[1] ?? "" });
        expect(forged.status).toBe(401);
      } finally {
        example.kill("SIGKILL");
      }
      await play.until("the counts", async () =>
        (await run("ls")).includes("failure,late  default        0          2"),
      );
      expect(await run("ls", "--json")).not.toContain("whsec_");
      expect(await run("deliveries", "example")).toBe("");
      const failure = await run("test", "example").catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("has not taken the test: connect ECONNREFUSED"),
      });
      expect(await run("rm", "example")).toContain("removed");
      const metrics = await (await fetch(`${play.cluster.address}/metrics`)).text();
      expect(metrics).toContain("# TYPE outlast_webhook_deliveries_total counter");
      const audit = await Array.fromAsync(play.client.people.audit({ action: "put-webhook" }));
      expect(audit).toMatchObject([{ target: "example", detail: `http://127.0.0.1:${port}` }]);
    },
    allowing,
  ));
