/** Jobs of services as runs: of one that is reached by commands, and of one with an HTTP API. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { RemoteBackend } from "../../../src/backends/remote/backend.ts";
import { checkService } from "../../../src/backends/remote/service.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { type BackendPlace, describeBackend } from "../../../src/proof/contracts/backendContract.ts";
import { JobService } from "./service.ts";

const example = fileURLToPath(new URL("../../../examples/remote/", import.meta.url));

/** A place whose jobs are shell lines that leave a mark when they begin. */
function placeOf(folder: string, open: () => RemoteBackend, close: () => void): BackendPlace {
  return {
    open,
    input(key, lines, exitCode) {
      const script = [
        `echo x >> ${folder}/${key}`,
        ...lines.map((line) => `echo '${line}'`),
        exitCode === "goes on" ? "exec sleep 1000" : `exit ${exitCode}`,
      ];
      return { service: "test", job: { line: script.join("\n") } };
    },
    countStarts: async (key) => readFileSync(join(folder, key), "utf8").split("\n").length - 1,
    async replace(handle) {
      await open().stop(handle, 0);
      await open().forget(handle);
      const input = { service: "test", job: { line: "exec sleep 1000" } };
      await open().start({ key: handle.key, task: "other" as never, attempt: 1, input, environment: {} });
    },
    async close() {
      close();
      // A run that was stopped may write its last line meanwhile.
      rmSync(folder, { recursive: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

describeBackend("a service by commands", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-contract-"));
  const service = checkService(parse(readFileSync(join(example, "local.yaml"), "utf8")) as JsonObject);
  const environment = { PATH: process.env["PATH"] ?? "", JOBS: join(folder, "jobs") };
  return placeOf(
    folder,
    () => new RemoteBackend(service, { directory: example, environment }),
    () => {},
  );
});

describeBackend("a service by HTTP", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-contract-"));
  const jobs = new JobService();
  await jobs.open();
  const service = checkService({
    name: "test",
    start: { http: { url: `${jobs.address}/jobs`, json: { key: "${key}", line: "${job.line}" } }, handle: "/job/id" },
    status: {
      http: { url: `${jobs.address}/jobs/\${handle}` },
      state: "/job/phase",
      states: { RUNNING: "running", CANCELLED: "stopped", OVER: "ended" },
      exitCode: "/job/code",
    },
    stop: { http: { method: "DELETE", url: `${jobs.address}/jobs/\${handle}` } },
    logs: { http: { url: `${jobs.address}/jobs/\${handle}/log` }, isWhole: true },
    list: { http: { url: `${jobs.address}/jobs` } },
    forget: { http: { method: "DELETE", url: `${jobs.address}/jobs/\${handle}/record` } },
  });
  return placeOf(
    folder,
    () => new RemoteBackend(service, { directory: folder, environment: {} }),
    () => jobs.close(),
  );
});

test.each(readdirSync(example).filter((name) => name.endsWith(".yaml")))("the example %s is a service", (name) => {
  const service = checkService(parse(readFileSync(join(example, name), "utf8")) as JsonObject);
  expect(service.stop).toBeDefined();
});
