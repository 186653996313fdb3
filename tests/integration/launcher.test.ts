/** The launcher `bin/outlast.js`: which program it runs, by which Node, and how it stands in for the Node that it hands over to. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

/** Says who it is, and does what its first argument asks for. */
const program = `
const wish = process.argv[2];
if (wish === "wait") {
  const timer = setInterval(() => {}, 1000);
  process.on("SIGTERM", () => { process.exitCode = 3; clearInterval(timer); });
}
process.stdout.write(JSON.stringify({ pid: process.pid, version: process.versions.node, arguments: process.argv.slice(2) }) + "\\n");
if (wish === "fail") process.exitCode = 7;
if (wish === "die") process.kill(process.pid, "SIGKILL");
`;

let root: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "outlast-launcher-"));
  mkdirSync(join(root, "bin"));
  mkdirSync(join(root, "src/cli"), { recursive: true });
  for (const name of ["outlast.js", "environment.js"]) copyFileSync(join("bin", name), join(root, "bin", name));
  writeFileSync(join(root, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(root, "src/cli/main.ts"), program);
  // Makes a Node believe that it is an old one; it is not inherited by the Node that the launcher starts.
  writeFileSync(
    join(root, "old.cjs"),
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });`,
  );
});

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(root, { recursive: true });
});

describe("on a Node that is new enough", () => {
  test("runs the sources of a checkout, with all arguments", async () => {
    const { code, said } = await launch(["fail", "--json", "a b"]).ended;
    expect(code).toBe(7);
    expect(said.arguments).toEqual(["fail", "--json", "a b"]);
  });

  test("runs the built program where there are no sources", async () => {
    mkdirSync(join(root, "dist/cli"), { recursive: true });
    writeFileSync(join(root, "dist/cli/main.js"), program);
    rmSync(join(root, "src"), { recursive: true });
    expect((await launch(["fail"]).ended).code).toBe(7);
  });

  test("keeps compiled code for the next start, also of a process that is killed later", async () => {
    const { child, spoken, ended } = launch(["wait"]);
    await spoken;
    const cache = join(root, "node_modules/.cache/outlast");
    const files = () => readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    await vi.waitFor(() => expect(files()).not.toEqual([]), { timeout: 10_000 });
    child.kill("SIGKILL");
    expect((await ended).signal).toBe("SIGKILL");
    expect((await launch(["fail"]).ended).code).toBe(7);
  });

  test("keeps compiled code in the user's cache where the package cannot be written", async () => {
    writeFileSync(join(root, "node_modules"), "not a folder");
    const home = join(root, "user-cache");
    vi.stubEnv("XDG_CACHE_HOME", home);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { child, spoken, ended } = launch(["wait"]);
    await spoken;
    child.kill("SIGTERM");
    expect((await ended).code).toBe(3);
    expect(readdirSync(join(home, "outlast"), { recursive: true }).length).toBeGreaterThan(1);
  });

  test("starts all the same where it may not keep anything", async () => {
    writeFileSync(join(root, "node_modules"), "not a folder");
    writeFileSync(join(root, "cache"), "not a folder");
    vi.stubEnv("XDG_CACHE_HOME", join(root, "cache"));
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await launch(["fail"]).ended).code).toBe(7);
  });

  test("says so if neither is there", async () => {
    rmSync(join(root, "src"), { recursive: true });
    const { code, complaint } = await launch([]).ended;
    expect(code).toBe(1);
    expect(complaint).toMatch(/^The installation of outlast is incomplete: .*\n$/);
  });
});

describe("on an old Node", () => {
  test("says so in one sentence if the project has no Node of its own", async () => {
    const { code, complaint } = await launchOld([]).ended;
    expect(code).toBe(1);
    expect(complaint).toMatch(/^outlast needs Node 24 or newer, and this is v[\d.]+\.\n$/);
  });

  describe("with the project's own Node", () => {
    beforeEach(() => {
      mkdirSync(join(root, "node_modules/node/bin"), { recursive: true });
      symlinkSync(process.execPath, join(root, "node_modules/node/bin/node"));
    });

    test("hands over to it and keeps its exit code", async () => {
      const { code, said } = await launchOld(["fail", "x"]).ended;
      expect(code).toBe(7);
      expect(said.version).toBe(process.versions.node);
      expect(said.arguments).toEqual(["fail", "x"]);
    });

    test("dies of the signal that it died of", async () => {
      expect(await launchOld(["die"]).ended).toMatchObject({ code: null, signal: "SIGKILL" });
    });

    test("passes signals on", async () => {
      const { child, spoken, ended } = launchOld(["wait"]);
      const { pid } = await spoken;
      expect(pid).not.toBe(child.pid);
      child.kill("SIGTERM");
      expect((await ended).code).toBe(3);
    });

    test("does not leave the program behind when it is killed itself", async () => {
      const { child, spoken } = launchOld(["wait"]);
      const { pid } = await spoken;
      child.kill("SIGKILL");
      await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000 });
    });
  });
});

interface Said {
  readonly pid: number;
  readonly version: string;
  readonly arguments: readonly string[];
}

function launch(words: readonly string[], nodeOptions: readonly string[] = []) {
  const child = spawn(process.execPath, [...nodeOptions, join(root, "bin/outlast.js"), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let output = "";
  let complaint = "";
  const spoken = new Promise<Said>((tell) => {
    child.stdout.on("data", (text: Buffer) => {
      output += text.toString();
      if (output.endsWith("\n")) tell(JSON.parse(output) as Said);
    });
  });
  child.stderr.on("data", (text: Buffer) => {
    complaint += text.toString();
  });
  const ended = new Promise<{ code: number | null; signal: string | null; said: Said; complaint: string }>((tell) => {
    child.once("close", (code, signal) => {
      tell({ code, signal, said: (output === "" ? {} : JSON.parse(output)) as Said, complaint });
    });
  });
  return { child, spoken, ended };
}

function launchOld(words: readonly string[]) {
  return launch(words, ["--require", resolve(root, "old.cjs")]);
}

/** False for a zombie as well: it runs nothing any more. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
