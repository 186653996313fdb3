/** Finds programs as execvp(3) does, and those that run the command behind them in another way: tied, as another user, or bounded. */
import { spawn } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { defaults } from "../model/limits.ts";
import { SpawnError } from "../ports/processes.ts";
import { codeOf, isMachineFault, quote, toSpawnError } from "./spawnFailure.ts";
import { becomeOptions, type TaskUser } from "./taskUser.ts";

/**
 * A path of the program among those that execvp(3) would try; the first one, unless it is still where it was.
 * @param last where it was before; looked at first, since each look is a turn of another thread
 * @throws SpawnError
 */
export async function findProgram(program: string, path: string, cwd: string, last?: string): Promise<string> {
  const candidates = program.includes("/")
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((directory) => join(resolve(cwd, directory), program));
  if (last !== undefined && candidates.length > 1) candidates.unshift(last);
  let refused: string | null = null;
  let trouble: unknown = null;
  for (const candidate of candidates) {
    try {
      const found = await stat(candidate);
      if (!found.isFile()) throw Object.assign(new Error("not a file"), { code: "EACCES" });
      await access(candidate, constants.X_OK);
      return candidate;
    } catch (error) {
      if (isMachineFault(error)) trouble ??= error;
      else if (["EACCES", "EPERM"].includes(codeOf(error))) refused ??= candidate;
    }
  }
  if (trouble !== null) throw toSpawnError(program, trouble);
  if (refused !== null) throw new SpawnError(`${quote(refused)} is not executable for this worker.`, "task");
  throw new SpawnError(`The program ${quote(program)} does not exist on this worker.`, "task");
}

/**
 * What to put before a command so that the kernel kills it when its parent dies, prctl(2) PR_SET_PDEATHSIG, and so that it runs as
 * another user; nothing where the machine has no setpriv(1), or one that cannot do it, and no other user is wanted.
 */
export async function findTie(user: TaskUser | null): Promise<readonly string[]> {
  const become = user === null ? [] : becomeOptions(user);
  const found = await findPrefix("setpriv", [...become, "--pdeathsig", "KILL", "--"]);
  // Better no task than one with the rights of its worker.
  if (found.length === 0 && user !== null)
    throw new SpawnError(`This worker can no longer run commands as ${user.name}.`, "machine");
  return found;
}

/** What to put before a command so that it gets the usual limit of open files; nothing where there is no prlimit(1). */
export function findLimiter(): Promise<readonly string[]> {
  return findPrefix("prlimit", [`--nofile=${defaults.taskDescriptors}:`, "--"]);
}

/**
 * What to put before a command so that it, and each process that it starts, may have only so much memory of its own: getrlimit(2)
 * RLIMIT_DATA.
 * @throws SpawnError where the machine cannot do that: the command must not run without the bound
 */
export async function findMemoryLimiter(program: string, bytes: number): Promise<readonly string[]> {
  let found: readonly string[] = [];
  try {
    found = await findPrefix("prlimit", [`--data=${bytes}`, "--"]);
  } catch (error) {
    throw toSpawnError(program, error);
  }
  if (found.length > 0) return found;
  throw new SpawnError(
    "This worker cannot bound memory (memoryBytesMax): it has no prlimit(1) that can do it.",
    "task",
  );
}

/**
 * A program with options that runs the command behind them; nothing where the machine has none that can do it.
 * @throws what the system says where it could not be tried
 */
async function findPrefix(name: string, options: readonly string[]): Promise<readonly string[]> {
  const path = process.env["PATH"] ?? "";
  const program = await findProgram(name, path, "/").catch((error: unknown) => {
    if (error instanceof SpawnError && error.fault === "machine") throw error.cause;
    return null;
  });
  if (program === null) return [];
  const isAble = await new Promise<boolean>((resolveAble, reject) => {
    const child = spawn(program, [...options, "true"], { env: { PATH: path }, stdio: "ignore" });
    child.once("error", (error) => (isMachineFault(error) ? reject(error) : resolveAble(false)));
    child.once("exit", (code) => resolveAble(code === 0));
  });
  return isAble ? [program, ...options] : [];
}
