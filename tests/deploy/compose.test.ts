/** `deploy/compose.yaml` with podman-compose or docker compose: it comes up, runs a task, and keeps MongoDB to the masters. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../src/proof/cluster/until.ts";
import { createClient } from "../../src/sdk/client.ts";
import { findEngine, testEnvironment } from "./testEngine.ts";
import { installPodmanCompose } from "./tools.ts";

const run = promisify(execFile);
const engine = findEngine();
const port = 17_170;
const waitMsMax = 120_000;
const client = createClient({
  masters: `http://127.0.0.1:${port}`,
  token: testEnvironment["OUTLAST_TOKEN"] ?? null,
  retryForMs: waitMsMax,
});
let command: readonly string[] = [];

beforeAll(async () => {
  command = engine.isPodman ? [await installPodmanCompose()] : ["docker", "compose"];
  await compose("up", "--detach");
});

afterAll(async () => {
  await compose("down", "--volumes", "--timeout", "5").catch(() => undefined);
  // podman-compose leaves what others depend on; its pod holds all of it.
  if (engine.isPodman) await engine.try("pod", "rm", "--force", "pod_outlast-test-compose");
  for (const name of ["work", "store"]) await engine.try("network", "rm", `outlast-test-compose_${name}`);
});

function compose(...words: readonly string[]): Promise<{ stdout: string }> {
  const [program = "", ...first] = command;
  const own = ["--project-name", "outlast-test-compose", "--file", "deploy/compose.yaml"];
  const environment = { ...process.env, ...testEnvironment, OUTLAST_PORT: String(port) };
  return run(program, [...first, ...own, ...words], { env: environment, timeout: waitMsMax });
}

test("runs a task, and only masters reach MongoDB", async () => {
  await until("a worker to attach", waitMsMax, async () =>
    (await client.workers()).some(({ state }) => state === "connected"),
  );
  const { id } = await client.submit({ kind: "sleep", input: { seconds: 0.5 } });
  expect((await client.wait(id)).state).toBe("success");

  const names = (await engine.run("ps", "--format", "{{.Names}}")).split("\n");
  const find = (service: string) =>
    names.find((name) => new RegExp(`^outlast-test-compose[-_]${service}`).test(name)) ?? "";
  const addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const address = (await engine.run("inspect", "--format", addresses, find("mongodb"))).trim();
  const connect = `require("node:net").connect(27017, "${address}").on("connect", () => process.exit(0)).on("error", () => process.exit(1));
    setTimeout(() => process.exit(1), 1500)`;
  expect((await engine.try("exec", find("master-1"), "node", "-e", connect)).code).toBe(0);
  expect((await engine.try("exec", find("worker"), "node", "-e", connect)).code).toBe(1);
});
