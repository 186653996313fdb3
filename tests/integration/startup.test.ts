/** What a command loads before it answers: its start must stay quick, also as commands become more. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandTable } from "../../src/cli/commandTable.ts";
import { findFreePort } from "../../src/cli/freePort.ts";
import { folder, Started, start } from "./commands.ts";

/** Writes what was loaded to stderr when the process exits. */
const preload = `
import { registerHooks } from "node:module";
const files = [];
registerHooks({ load: (url, context, next) => (files.push(url), next(url, context)) });
process.on("exit", () => process.stderr.write("LOADED " + JSON.stringify({
  files: files.filter((url) => url.includes("/src/")),
  seldom: files.filter((url) => /@opentelemetry.(sdk|otlp|exporter)|standardwebhooks|@aws-sdk/.test(url)),
  hasFetch: process.moduleLoadList.some((name) => name.includes("undici")),
}) + "\\n"));
`;

let master: Started;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  const file = join(folder, "preload.mjs");
  writeFileSync(file, preload);
  const port = String(await findFreePort());
  master = start("master", "--port", port, "--store", "memory:");
  await master.line(/^outlast master ready at /);
  env = { OUTLAST_MASTERS: `http://127.0.0.1:${port}`, NODE_OPTIONS: `--import=${file}` };
});
afterAll(() => void master.child.kill("SIGKILL"));

async function loadedBy(...commandLine: string[]): Promise<{ files: string[]; hasFetch: boolean }> {
  const { code, stderr } = await new Started(commandLine, { env }).ended;
  expect(code).toBe(0);
  return JSON.parse(/^LOADED (.*)$/m.exec(stderr)![1]!) as { files: string[]; hasFetch: boolean };
}

test("the version and the help load no command", async () => {
  for (const commandLine of [["--version"], ["--help"]]) {
    const { files, hasFetch } = await loadedBy(...commandLine);
    expect(files.filter((file) => file.includes("/commands/"))).toEqual([]);
    expect(files.length).toBeLessThan(32);
    expect(hasFetch).toBe(false);
  }
});

test("a command loads its own file only, a client, and not the global fetch", async () => {
  for (const commandLine of [["ls"], ["workers", "--json"], ["submit", "sleep", "0"]]) {
    const { files, hasFetch } = await loadedBy(...commandLine);
    expect(files.filter((file) => file.includes("/commands/"))).toHaveLength(1);
    expect(files.filter((file) => /\/(master|worker|api|stores|proof|core)\//.test(file))).toEqual([]);
    expect(files.length).toBeLessThan(90);
    expect(hasFetch).toBe(false);
  }
});

test("a master that sends neither traces nor webhooks, and keeps no files in S3, loads nothing for them", async () => {
  const port = String(await findFreePort());
  for (const [more, isTracing] of [
    [[], false],
    [["--otlp-endpoint", "http://127.0.0.1:9"], true],
  ] as const) {
    const own = new Started(["master", "--port", port, "--store", "memory:", ...more], { env });
    await own.line(/^outlast master ready at /);
    own.child.kill("SIGTERM");
    const { stderr } = await own.ended;
    const { seldom } = JSON.parse(/^LOADED (.*)$/m.exec(stderr)![1]!) as { seldom: string[] };
    expect(seldom.length > 0).toBe(isTracing);
  }
});

test("every command of the table is there, with its options", async () => {
  for (const { name } of commandTable) {
    const { code, stdout } = await start(name, "--help").ended;
    expect({ name, code }).toEqual({ name, code: 0 });
    expect(stdout).toMatch(new RegExp(`^Usage: outlast ${name} `));
    expect(stdout).toContain("--masters");
  }
});
