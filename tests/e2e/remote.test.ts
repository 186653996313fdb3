/** Jobs of a service on a real cluster: whatever becomes of workers, a job is started once, and it is stopped only if nobody wants it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { TaskDocument } from "../../src/model/task.ts";
import { type Scene, scene } from "./scene.ts";

const example = fileURLToPath(new URL("../../examples/remote/local.yaml", import.meta.url));

/** Each test has its own service. */
async function withService(
  processes: readonly string[],
  play: (scene: Scene, service: Service) => Promise<void>,
): Promise<void> {
  const jobs = mkdtempSync(join(tmpdir(), "outlast-jobs-"));
  const service = new Service(jobs);
  try {
    await scene(processes, (on) => play(on, service), {
      capacity: 2,
      environment: { JOBS: jobs },
      workerArguments: ["--remote", example, "--drain-timeout", "0s"],
    });
  } finally {
    service.close();
  }
}

class Service {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keys of all jobs that were ever started and not forgotten. */
  get keys(): readonly string[] {
    return list(join(this.#folder, "keys"));
  }

  /** Process ids of jobs that run. */
  get alive(): readonly number[] {
    const pids = list(join(this.#folder, "runs")).map((id) => read(join(this.#folder, "runs", id, "pid")));
    return pids
      .filter((pid) => pid !== "")
      .map(Number)
      .filter(isAlive);
  }

  close(): void {
    for (const pid of this.alive) process.kill(-pid, "SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A job that prints, waits until this file is there, and ends with this code. */
function waitsFor(file: string, code: number): { readonly service: string; readonly job: { readonly line: string } } {
  return {
    service: "local",
    job: { line: `echo begun; while [ ! -e '${file}' ]; do sleep 0.05; done; echo over; exit ${code}` },
  };
}

function over(play: Scene, id: string): Promise<TaskDocument> {
  return play.until(`the end of ${id}`, async () => {
    const task = await play.client.get(id);
    return ["success", "failed", "cancelled"].includes(task.state) && task;
  });
}

test("a job goes on while its worker dies and another one drains, and the third reports its end", () =>
  withService(["master", "worker-1"], async (play, service) => {
    const file = join(play.directory, "go");
    await play.client.submit({ id: "job", kind: "remote", input: waitsFor(file, 0) });
    const [pid] = await play.until("the job", () => service.alive.length === 1 && service.alive);
    await play.until("its handle to be on record", () => hasStep(play, "job", "handle 1"));
    await play.cluster.kill("worker-1");
    await play.cluster.start("worker-2");
    await play.started("job", 2);
    await play.until("its output", async () => (await logSoFar(play, "job")).includes("begun"));
    expect(service.alive).toEqual([pid]);
    // It drains, and has no time to wait: it lets go of the job.
    play.cluster.signal("worker-2", "SIGTERM");
    await play.cluster.start("worker-3");
    await play.started("job", 3);
    expect(service.alive).toEqual([pid]);
    expect(service.keys).toHaveLength(1);
    await play.client.submit({ id: "go", kind: "exec", input: { command: ["touch", file] } });
    expect(await over(play, "job")).toMatchObject({ state: "success", attempt: 3, failures: 0 });
    expect(await play.logOf("job")).toBe("begun\nover\n");
    expect(service.keys).toEqual([]);
  }));

test("a failed job is started anew, under another key", () =>
  withService(["master", "worker-1"], async (play, service) => {
    const line = "echo $$; exit 3";
    await play.client.submit({
      ...{ id: "job", kind: "remote", input: { service: "local", job: { line } } },
      ...{ attemptsMax: 2, backoffBaseMs: 1 },
    });
    expect(await over(play, "job")).toMatchObject({ state: "failed", failures: 2, exit: { code: 3 } });
    const steps = await stepsOf(play, "job");
    const keys = steps.filter(({ key }) => key.startsWith("run ")).map(({ step }) => JSON.stringify(step.value));
    expect(new Set(keys).size).toBe(2);
    expect(service.keys).toEqual([]);
  }));

test("cancelling and a time-out stop a job", () =>
  withService(["master", "worker-1"], async (play, service) => {
    const never = join(play.directory, "never");
    await play.client.submit({ id: "cancelled", kind: "remote", input: waitsFor(never, 0) });
    await play.client.submit({
      id: "late",
      kind: "remote",
      input: waitsFor(never, 0),
      timeoutMs: 2_000,
      attemptsMax: 1,
    });
    await play.until("both jobs", () => service.alive.length === 2);
    await play.client.cancel("cancelled");
    await play.until("the end of both", () => service.alive.length === 0);
    expect(await over(play, "late")).toMatchObject({ state: "failed", error: { code: "timeout" } });
    await play.until("nothing to be left of them", () => service.keys.length === 0);
  }));

test("a job whose task is cancelled after its only worker has died is stopped by the next worker that knows the service", () =>
  withService(["master", "worker-1"], async (play, service) => {
    const never = join(play.directory, "never");
    await play.client.submit({ id: "job", kind: "remote", input: waitsFor(never, 0) });
    await play.until("the job", () => service.alive.length === 1);
    await play.until("its handle to be on record", () => hasStep(play, "job", "handle 1"));
    await play.cluster.kill("worker-1");
    await play.until("the loss of its worker", async () => (await play.client.get("job")).state === "killed");
    await play.client.cancel("job");
    expect(service.alive).toHaveLength(1);
    await play.cluster.start("worker-2");
    await play.until("the end of the job", () => service.alive.length === 0);
    await play.until("nothing to be left of it", () => service.keys.length === 0);
    expect((await play.client.get("job")).state).toBe("cancelled");
  }));

test("a job is stopped whose worker dies while it is told to stop it", () =>
  withService(["master", "worker-1"], async (play, service) => {
    const never = join(play.directory, "never");
    await play.client.submit({ id: "job", kind: "remote", input: waitsFor(never, 0) });
    await play.until("the job", () => service.alive.length === 1);
    await play.until("its handle to be on record", () => hasStep(play, "job", "handle 1"));
    // It is told, and cannot act on it.
    play.cluster.signal("worker-1", "SIGSTOP");
    await play.client.cancel("job");
    await play.cluster.kill("worker-1");
    expect(service.alive).toHaveLength(1);
    await play.cluster.start("worker-2");
    await play.until("the end of the job", () => service.alive.length === 0);
    await play.until("nothing to be left of it", () => service.keys.length === 0);
  }));

test("a task for a service that no worker knows waits, and says so", () =>
  withService(["master", "worker-1"], async (play) => {
    await play.client.submit({ id: "job", kind: "remote", input: { service: "elsewhere" } });
    const { waiting } = await play.until("the reason", async () => {
      const task = await play.client.get("job");
      return task.waiting !== undefined && task;
    });
    expect(waiting).toMatchObject({
      reason: "no-able-worker",
      detail: expect.stringContaining("remote=elsewhere") as unknown,
    });
  }));

async function stepsOf(play: Scene, task: string) {
  const answer = await fetch(`${play.cluster.address}/v1/tasks/${task}/steps`);
  return (
    (await answer.json()) as {
      readonly steps: readonly { readonly key: string; readonly step: { readonly value?: unknown } }[];
    }
  ).steps;
}

async function hasStep(play: Scene, task: string, key: string): Promise<boolean> {
  return (await stepsOf(play, task)).some((step) => step.key === key);
}

async function logSoFar(play: Scene, task: string): Promise<string> {
  const answer = await fetch(`${play.cluster.address}/v1/tasks/${task}/logs`);
  return answer.text();
}
