/** The code of the README's section "Write a task", run as it stands there; and the worker in Python. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { scene } from "./scene.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

function codeOf(file: string): string {
  const code = new RegExp(`<!-- ${file} -->\\n\`\`\`ts\\n([\\s\\S]*?)\n\`\`\``).exec(readme)?.[1];
  if (code === undefined) throw new Error(`README.md has no code of ${file}.`);
  return code;
}

test("the code of the README runs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-readme-"));
  for (const file of ["tasks.ts", "submit.ts"]) writeFileSync(join(folder, file), codeOf(file));
  await scene(
    ["master", "worker-1"],
    async (play) => {
      const hooks = join(root, "tests/e2e/ownSdk.ts");
      const child = spawn(process.execPath, ["--import", hooks, join(folder, "submit.ts")], {
        env: { ...process.env, OUTLAST_MASTERS: play.cluster.address },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (bytes: Buffer) => {
        output += bytes.toString();
      });
      await once(child, "close");
      expect(output).toBe("6 words, approved by Ada\n");
    },
    { workerArguments: ["--tasks", join(folder, "tasks.ts")] },
  );
  rmSync(folder, { recursive: true });
});

test("worker.py runs tasks, goes on through the leader's death, and resumes behind a remembered step after its own", () =>
  scene(["master"], async (play) => {
    const gate = join(play.directory, "gate");
    const start = () => {
      const child = spawn("python3", [join(root, "examples/worker.py"), play.cluster.address, "snake"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (bytes: Buffer) => {
        output += bytes.toString();
      });
      return { child, said: (text: string) => play.until(text, () => output.includes(text)) };
    };
    let worker = start();
    try {
      await play.client.submit({ id: "words", kind: "word-count", input: { text: "a b a" } });
      expect((await play.success("words")).output).toEqual({ a: 2, b: 1 });
      await play.client.submit({ id: "steps", kind: "py-steps", input: { gate } });
      await worker.said("started steps 1");
      await play.until("the step to be committed", async () => (await play.client.get("steps")).family?.steps === 1);
      await play.cluster.kill("master");
      await play.cluster.start("master");
      const { attempt, state, kills } = await play.client.get("steps");
      expect({ attempt, state, kills }).toEqual({ attempt: 1, state: "running", kills: 0 });
      await play.client.submit({ id: "after", kind: "word-count", input: { text: "c" } });
      expect((await play.success("after")).output).toEqual({ c: 1 });
      worker.child.kill("SIGKILL");
      await once(worker.child, "close");
      worker = start();
      await worker.said("started steps 2");
      writeFileSync(gate, "");
      expect((await play.success("steps")).output).toEqual({ first: 1, last: 2 });
      expect(existsSync(gate)).toBe(true);
    } finally {
      worker.child.kill("SIGKILL");
    }
  }));
