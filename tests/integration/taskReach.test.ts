/** What a submitted command can reach of the worker that runs it: the list in docs/exec.md, point by point, with real processes. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient, type Outlast } from "../../src/sdk/client.ts";
import { folder, Started } from "./commands.ts";

const oldNode = "/usr/bin/node";

/** A pattern that does not find itself in the command line of the one who searches. */
function patternOf(secret: string): string {
  return `${secret.slice(0, -1)}[${secret.slice(-1)}]`;
}

/** Runs a line as a task and gives back what it wrote. */
async function run(client: Outlast, line: string, env: { readonly [name: string]: string } = {}): Promise<string> {
  const { id } = await client.submit({ kind: "exec", input: { command: [line], shell: true, env }, attemptsMax: 1 });
  const pieces: Uint8Array[] = [];
  for await (const item of client.follow(id)) if (item.kind === "log") pieces.push(item.bytes);
  return Buffer.concat(pieces).toString();
}

/** Which files of any process hold one of the secrets. */
function searchLine(secrets: readonly string[]): string {
  const patterns = secrets.map((secret) => `-e '${patternOf(secret)}'`).join(" ");
  return `grep -ls ${patterns} /proc/[0-9]*/environ /proc/[0-9]*/cmdline; echo searched`;
}

describe.skipIf(process.platform !== "linux")("a command", () => {
  test("finds no secret in the environment or the arguments of any process, however it was given", async () => {
    const token = `t-${randomUUID()}`;
    const other = `o-${randomUUID()}`;
    const env = { OUTLAST_TOKEN: token, SOME_PASSWORD: other };
    const port = String(await findFreePort());
    const address = `http://127.0.0.1:${port}`;
    const up = new Started(["up", "--port", port, "--workers", "1", "--data", "reach"], { env });
    await up.line(/worker-1 is ready/);
    const masters = ["--masters", address, "--data", "reach"];
    const byArgument = ["worker", "--name", "by-argument", "--queues", "by-argument", ...masters, "--token", token];
    const first = new Started(byArgument, { env: { SOME_PASSWORD: other } });
    await first.line(/ready/);
    const others = [first];
    if (existsSync(oldNode)) {
      // An older Node hands over to the project's own, and stays as its parent.
      const launched = new Started(["worker", "--name", "old", "--queues", "old", ...masters], { env, node: oldNode });
      await launched.line(/ready/);
      others.push(launched);
    }
    const client = createClient({ masters: address, token });
    expect(await run(client, searchLine([token, other]))).toBe("searched\n");
    for (const each of [...others, up]) each.child.kill("SIGKILL");
  });

  test("finds none either where the worker is the first process of a container", async () => {
    const token = `t-${randomUUID()}`;
    const port = String(await findFreePort());
    const address = `http://127.0.0.1:${port}`;
    const master = new Started(["master", "--port", port, "--store", "memory:"], { env: { OUTLAST_TOKEN: token } });
    await master.line(/ready/);
    const worker = new Started(["worker", "--masters", address, "--data", "first"], {
      env: { OUTLAST_TOKEN: token },
      before: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
    });
    await worker.line(/ready/);
    const client = createClient({ masters: address, token });
    // The parent of that container is not one of ours: it does not hide what it was started with.
    expect(await run(client, `${searchLine([token])}; tr '\\0' ' ' </proc/1/cmdline | head -c 9`)).toBe(
      "searched\n/bin/sh -",
    );
    for (const each of [worker, master]) each.child.kill("SIGKILL");
  });

  test("has three descriptors, its own variables, and no credential for the masters", async () => {
    const token = `t-${randomUUID()}`;
    const port = String(await findFreePort());
    const address = `http://127.0.0.1:${port}`;
    const up = new Started(["up", "--port", port, "--workers", "1", "--data", "three"], {
      env: { OUTLAST_TOKEN: token },
      // A descriptor that whoever starts it has left open.
      before: ["bash", "-c", 'exec 42>/dev/null; exec "$@"', "bash"],
    });
    await up.line(/worker-1 is ready/);
    const client = createClient({ masters: address, token });
    expect(await run(client, "ls /proc/$$/fd")).toBe("0\n1\n2\n");
    const names = (await run(client, "env")).split("\n").flatMap((line) => line.split("=", 1));
    expect(names.filter((name) => name.startsWith("OUTLAST_")).sort()).toEqual(
      ["ATTEMPT", "ATTEMPT_SOCKET", "ATTEMPT_TOKEN", "BOOT", "HOME", "TASK", "WORKER"].map((name) => `OUTLAST_${name}`),
    );
    const ask = `fetch("${address}/v1/tasks").then(({ status }) => console.log(status))`;
    expect(await run(client, `"${process.execPath}" -e '${ask}'`)).toBe("401\n");
    up.child.kill("SIGKILL");
  });
});

test("a worker warns of processes around it that show its token to tasks", async () => {
  const token = `t-${randomUUID()}`;
  const worker = new Started(
    ["worker", "--masters", "http://127.0.0.1:1", "--data", join(folder, "warned"), "--stop-on-stdin-end"],
    {
      env: { OUTLAST_TOKEN: token },
      before: ["sh", "-c", '"$@"; exit', "sh"],
    },
  );
  expect(await worker.line(/tasks can read the token/)).toContain("--token-file");
  // Killing the shell around it would leave it behind.
  worker.child.stdin!.end();
  expect(await worker.ended).toBeDefined();
});
