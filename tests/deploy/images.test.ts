/** What the images promise to whoever runs them: user, privileges, PID 1, signals, exit codes, health. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../src/proof/cluster/until.ts";
import { createClient } from "../../src/sdk/client.ts";
import { findEngine, imageOf, testEnvironment } from "./testEngine.ts";

const engine = findEngine();
const waitMsMax = 60_000;
const mebibyte = 1024 * 1024;
const port = 17_070;
const client = createClient({
  masters: `http://127.0.0.1:${port}`,
  token: testEnvironment["OUTLAST_TOKEN"] ?? null,
  retryForMs: waitMsMax,
});

/** Run inside of a container. */
const countZombies = `
  const { readdirSync, readFileSync } = require("node:fs");
  const stateOf = (pid) => { try { return readFileSync("/proc/" + pid + "/stat", "utf8").split(") ")[1][0]; } catch { return ""; } };
  console.log(readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name) && stateOf(name) === "Z").length);
`;

interface ImageFacts {
  readonly Size: number;
  readonly Config: { readonly User: string; readonly StopSignal: string; readonly Labels: { [name: string]: string } };
}

describe.each(["master", "worker", "client"] as const)("the image of a %s", (part) => {
  test("is small, runs as user 1000, and says what it is", async () => {
    const [facts] = JSON.parse(await engine.run("image", "inspect", imageOf(part))) as [ImageFacts];
    const [base] = JSON.parse(await engine.run("image", "inspect", "docker.io/library/node:26-slim")) as [ImageFacts];
    // On top of the base: the program and its production dependencies.
    expect(facts.Size - base.Size).toBeLessThan(60 * mebibyte);
    expect(facts.Config.User).toBe("1000:1000");
    expect(facts.Config.StopSignal).toMatch(/^(SIGTERM|15)$/);
    expect(facts.Config.Labels["org.opencontainers.image.title"]).toBe("Outlast");
  });

  test("has all that is loaded only when it is used", async () => {
    const names = ["mongodb", "@aws-sdk/client-s3", "@aws-sdk/lib-storage", "@opentelemetry/sdk-trace", "esbuild"];
    const loads = names.map((name) => `await import(${JSON.stringify(name)})`).join("; ");
    const words = ["--workdir", "/opt/outlast", imageOf(part), "--input-type=module", "--eval", loads];
    expect(await engine.try("run", "--rm", "--entrypoint", "node", ...words)).toMatchObject({ code: 0, stdout: "" });
  });

  test("holds no tool for building", async () => {
    const { stdout } = await engine.try(
      "run",
      "--rm",
      "--entrypoint",
      "ls",
      imageOf(part),
      "/opt/outlast/node_modules",
    );
    const names = stdout.split("\n");
    expect(names).toContain("fastify");
    expect(names).not.toContain("typescript");
    expect(names).not.toContain("vitest");
  });
});

describe("a master and a worker in containers", () => {
  beforeAll(async () => {
    await engine.script("remove");
    await engine.script("start-master", "--publish", String(port), "--store", "sqlite:/data/outlast.db");
    await engine.script("start-worker", "--capacity", "4");
    await until("the worker to attach", waitMsMax, async () =>
      (await client.workers()).some(({ state }) => state === "connected"),
    );
  });

  afterAll(async () => {
    await engine.script("remove");
  });

  test("have no privileges, and a root file system that cannot be written to", async () => {
    for (const name of ["master", "worker-1"]) {
      const { stdout } = await engine.inside(
        name,
        "sh",
        "-c",
        "cat /proc/1/status; touch /opt/x /data/x && echo written",
      );
      expect(stdout).toMatch(/^CapEff:\s+0+$/m);
      expect(stdout).toMatch(/^CapBnd:\s+0+$/m);
      expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m);
      expect(stdout).toMatch(/^Uid:\s+1000/m);
      expect(stdout).not.toContain("written");
    }
  });

  test("are healthy by their own checks", async () => {
    for (const name of ["master", "worker-1"]) {
      await until(`${name} to be healthy`, waitMsMax, async () => {
        if (engine.isPodman) return (await engine.try("healthcheck", "run", engine.nameOf(name))).code === 0;
        const { stdout } = await engine.try("inspect", "--format", "{{.State.Health.Status}}", engine.nameOf(name));
        return stdout.trim() === "healthy";
      });
    }
  });

  test("serve the dashboard that the image was built with, and all that it loads", async () => {
    const address = `http://127.0.0.1:${port}`;
    const open = (path: string) => fetch(`${address}${path}`, { headers: { accept: "text/html,*/*;q=0.8" } });
    const page = await open("/");
    expect(page.status).toBe(200);
    const html = await page.text();
    const paths = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
    for (const ending of [".js", ".css"]) expect(paths.filter((path) => path.endsWith(ending))).not.toEqual([]);
    for (const path of paths) expect([path, (await open(path)).status]).toEqual([path, 200]);
    // The address of one of its pages, as a bookmark has it.
    expect(await (await open("/tasks")).text()).toBe(html);
  });

  test("have a PID 1 that reaps what a task leaves behind", async () => {
    // The shell ends at once; its child is left to PID 1, and ends a moment later.
    const command = ["sh", "-c", "setsid sh -c 'sleep 0.1' > /dev/null 2>&1 < /dev/null & exit 0"];
    const { id } = await client.submit({ kind: "exec", input: { command } });
    expect((await client.wait(id)).state).toBe("success");
    await until("no zombie to be there", waitMsMax, async () => {
      const { stdout } = await engine.inside("worker-1", "node", "-e", countZombies);
      return stdout.trim() === "0";
    });
    const { stdout } = await engine.inside("worker-1", "cat", "/proc/1/cmdline");
    expect(stdout).toContain("tini");
  });

  test("a worker that is stopped finishes what it runs, and ends with exit code 0", async () => {
    const { id } = await client.submit({ kind: "sleep", input: { seconds: 3 } });
    await until("the task to run", waitMsMax, async () => (await client.get(id)).state === "running");
    await engine.run("stop", engine.nameOf("worker-1"));
    const task = await client.get(id);
    expect([task.state, task.attempt]).toEqual(["success", 1]);
    const format = "{{.State.ExitCode}}";
    expect((await engine.run("inspect", "--format", format, engine.nameOf("worker-1"))).trim()).toBe("0");
  });

  test("a master that is stopped ends with exit code 0, and knows everything when it is back", async () => {
    const { id } = await client.submit({ kind: "sleep", input: { seconds: 0 } });
    await engine.run("stop", engine.nameOf("master"));
    const format = "{{.State.ExitCode}}";
    expect((await engine.run("inspect", "--format", format, engine.nameOf("master"))).trim()).toBe("0");
    await engine.script("start-master");
    await engine.script("start-worker");
    expect((await client.wait(id)).state).toBe("success");
  });
});

test("a master refuses to listen to others without a token, and says so", async () => {
  const { code, stderr } = await engine.try("run", "--rm", imageOf("master"));
  expect(code).toBe(2);
  expect(stderr).toContain("OUTLAST_TOKEN");
});
