/** Containers as runs, on a real engine. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { ContainerBackend } from "../../../src/backends/container/backend.ts";
import { ContainerEngine } from "../../../src/backends/container/engine.ts";
import { describeBackend } from "../../../src/proof/contracts/backendContract.ts";
import { findEngine, testEnvironment } from "../testEngine.ts";
import { makeSmallImage, smallImage } from "./smallImage.ts";

const found = findEngine();
const environment = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/root", ...testEnvironment };
const engine = new ContainerEngine(found.program, environment);
const owner = `contract-${process.pid}`;

beforeAll(() => makeSmallImage(found));
afterAll(() => removeAll());

async function removeAll(): Promise<void> {
  const backend = new ContainerBackend({ engine, owner, mountable: [] });
  for (const handle of await backend.list()) await backend.forget(handle);
}

describeBackend("containers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-contract-"));
  const open = () => new ContainerBackend({ engine, owner, mountable: [folder] });
  return {
    open,
    input(key, lines, exitCode) {
      const script = [
        `echo x >> /starts/${key}`,
        ...lines.map((line) => `echo '${line}'`),
        exitCode === "goes on" ? "exec sleep 1000" : `exit ${exitCode}`,
      ];
      return {
        image: smallImage,
        command: ["sh", "-c", script.join("\n")],
        mounts: [{ source: folder, target: "/starts", isWritable: true }],
      };
    },
    countStarts: async (key) => readFileSync(join(folder, key), "utf8").split("\n").length - 1,
    async replace(handle) {
      await open().forget(handle);
      await engine.call([
        "run",
        "--detach",
        "--name",
        handle.key,
        `--label=outlast.key=${handle.key}`,
        smallImage,
        "sleep",
        "1000",
      ]);
    },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
});
