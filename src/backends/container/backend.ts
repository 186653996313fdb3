/** Containers of this machine as runs. A container is called by the key of its run, and is labelled with whose it is. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerInput } from "../../model/kinds/container.ts";
import { limits } from "../../model/limits.ts";
import {
  type Backend,
  BackendTrouble,
  type Cancellation,
  type RunHandle,
  type RunOrder,
  RunRefused,
  type RunState,
} from "../../ports/backend.ts";
import { type ContainerEngine, lastLine } from "./engine.ts";
import { findMounts } from "./mounts.ts";

export interface ContainerOptions {
  readonly engine: ContainerEngine;
  /** Tells this worker's containers from those of all others on this machine. */
  readonly owner: string;
  /** Folders of this machine that containers may see, with all that is in them. Absolute. */
  readonly mountable: readonly string[];
}

/** Which run a container is. */
const keyLabel = "outlast.key";
/** Which worker's it is, through all of its lives. */
const ownerLabel = "outlast.owner";
/** Its worker's life; what stays behind of one is found by that. */
export const bootLabel = "outlast.boot";

interface Found {
  readonly id: string;
  readonly key: string | null;
  readonly status: string;
}

/** States of a container that was made and not started. */
const unstarted: readonly string[] = ["created", "configured", "initialized"];
const isMissing = /no such (container|object)|no container with/i;

export class ContainerBackend implements Backend {
  readonly #options: ContainerOptions;

  constructor(options: ContainerOptions) {
    this.#options = options;
  }

  async start(order: RunOrder, stop: Cancellation): Promise<RunHandle> {
    const { engine } = this.#options;
    const input = order.input as unknown as ContainerInput;
    const secrets = await writeSecrets(input.secretEnv ?? {});
    try {
      const words = await this.#wordsFor(order, input, secrets);
      const answer = await engine.call(words, { timeoutMs: limits.containerStartMsMax, stop });
      const id = answer.stdout.trim().split("\n").at(-1) ?? "";
      if (answer.code === 0) return { key: order.key, id };
      return await this.#findStarted(order.key, lastLine(answer.stderr));
    } finally {
      if (secrets !== null) await rm(secrets, { recursive: true, force: true });
    }
  }

  async inspect({ id }: RunHandle): Promise<RunState> {
    const { engine } = this.#options;
    try {
      const { code, stdout, stderr } = await engine.call([
        ...["container", "inspect", "--format", "{{json .State}}", id],
      ]);
      if (code === 0) return stateOf(JSON.parse(stdout) as EngineState);
      return isMissing.test(stderr) ? { kind: "gone" } : { kind: "unknown", message: lastLine(stderr) };
    } catch (error) {
      return { kind: "unknown", message: error instanceof Error ? error.message : String(error) };
    }
  }

  async stop({ id }: RunHandle, graceMs: number): Promise<void> {
    const { engine } = this.#options;
    const words = graceMs > 0 ? ["stop", "--time", String(Math.ceil(graceMs / 1000)), id] : ["kill", id];
    const answer = await engine.call(words, { timeoutMs: graceMs + limits.engineCallMsMax });
    if (answer.code === 0 || isMissing.test(answer.stderr)) return;
    // Engines take it for an error to kill what does not run.
    const { kind } = await this.inspect({ key: "", id });
    if (kind === "ended" || kind === "gone") return;
    // One that was never started has nothing to kill.
    if (kind === "pending") return this.forget({ key: "", id });
    throw new BackendTrouble(lastLine(answer.stderr));
  }

  async *logs({ id }: RunHandle, offset: number, stop: Cancellation): AsyncGenerator<Uint8Array, void, undefined> {
    let skipped = 0;
    for await (const bytes of this.#options.engine.read(["logs", "--follow", id], stop)) {
      const skip = Math.min(bytes.length, offset - skipped);
      skipped += skip;
      if (skip < bytes.length) yield bytes.subarray(skip);
    }
  }

  async list(): Promise<readonly RunHandle[]> {
    const { engine, owner } = this.#options;
    const filter = ["--all", "--no-trunc", "--filter", `label=${ownerLabel}=${owner}`];
    const { code, stdout, stderr } = await engine.call(["ps", ...filter, "--format", "{{.ID}} {{.Names}}"]);
    if (code !== 0) throw new BackendTrouble(lastLine(stderr));
    return stdout
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const [id = "", key = ""] = line.trim().split(" ");
        return { key, id };
      });
  }

  async forget({ id }: RunHandle): Promise<void> {
    const { engine } = this.#options;
    // Docker kills what still runs; podman gives it ten seconds unless it is told otherwise.
    const atOnce = engine.name === "podman" ? ["--time", "0"] : [];
    const { code, stderr } = await engine.call(["rm", "--force", ...atOnce, "--volumes", id]);
    if (code !== 0 && !isMissing.test(stderr)) throw new BackendTrouble(lastLine(stderr));
  }

  async #wordsFor({ key, environment }: RunOrder, input: ContainerInput, secrets: string | null): Promise<string[]> {
    const { engine, owner, mountable } = this.#options;
    const {
      image,
      command = [],
      entrypoint,
      env = {},
      cwd,
      memoryBytesMax,
      processesMax,
      cpusMax,
      mounts = [],
    } = input;
    const variables = { ...env, ...environment };
    const labels = { [keyLabel]: key, [ownerLabel]: owner, [bootLabel]: environment["OUTLAST_BOOT"] ?? "" };
    const found = await findMounts(mounts, mountable);
    return [
      ...["run", "--detach", "--name", key],
      ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
      // What every engine can read again from its beginning.
      `--log-driver=${engine.name === "podman" ? "k8s-file" : "json-file"}`,
      "--security-opt=no-new-privileges",
      ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
      ...(secrets === null ? [] : [`--env-file=${join(secrets, "env")}`]),
      ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
      ...(cwd === undefined ? [] : [`--workdir=${cwd}`]),
      // Without room to swap: the bound is one of memory.
      ...(memoryBytesMax === undefined ? [] : [`--memory=${memoryBytesMax}b`, `--memory-swap=${memoryBytesMax}b`]),
      ...(processesMax === undefined ? [] : [`--pids-limit=${processesMax}`]),
      ...(cpusMax === undefined ? [] : [`--cpus=${cpusMax}`]),
      ...found.map(
        ({ source, target, isWritable = false }) =>
          `--mount=type=bind,source=${source},target=${target}${isWritable ? "" : ",readonly"}`,
      ),
      ...[image, ...command],
    ];
  }

  /** The engine has refused to start it: perhaps because it is there already. */
  async #findStarted(key: string, why: string): Promise<RunHandle> {
    const { engine } = this.#options;
    const found = await this.#find(key);
    if (found === null) {
      // An engine that does not work has refused nothing.
      await engine.check();
      throw new RunRefused("container", `${engine.name} does not start it: ${why}`, false);
    }
    if (found.key !== key)
      throw new RunRefused("container", `There is a container with the name ${key} that is not this run.`, false);
    const handle = { key, id: found.id };
    if (!unstarted.includes(found.status)) return handle;
    // Whoever made it has not come to start it, or could not: its program may be missing.
    const { code, stderr } = await engine.call(["start", found.id]);
    if (code === 0) return handle;
    await this.forget(handle);
    throw new RunRefused("container", `${engine.name} does not start it: ${lastLine(stderr)}`, false);
  }

  async #find(name: string): Promise<Found | null> {
    const format = `{{.Id}} {{.State.Status}} {{index .Config.Labels "${keyLabel}"}}`;
    const { code, stdout, stderr } = await this.#options.engine.call([
      "container",
      "inspect",
      "--format",
      format,
      name,
    ]);
    if (code !== 0 && isMissing.test(stderr)) return null;
    if (code !== 0) throw new BackendTrouble(lastLine(stderr));
    const [id = "", status = "", key] = stdout.trim().split(" ");
    return { id, status, key: key ?? null };
  }
}

/** What both engines say of a container. */
interface EngineState {
  readonly Status: string;
  readonly ExitCode: number;
  readonly OOMKilled?: boolean;
  readonly Error?: string;
}

function stateOf({ Status: status, ExitCode: exitCode, OOMKilled, Error: message }: EngineState): RunState {
  if (unstarted.includes(status)) return { kind: "pending" };
  if (!["exited", "stopped", "dead"].includes(status)) return { kind: "running" };
  if (exitCode === 0) return { kind: "ended", outcome: "success", exitCode };
  return {
    ...{ kind: "ended", outcome: "failed", exitCode },
    ...(message !== undefined && message !== "" && { message }),
    ...(OOMKilled === true && { isOutOfMemory: true }),
  };
}

/** In a file that nobody else can read: arguments are shown to everybody on the machine. @returns its folder; null if there are none */
async function writeSecrets(secrets: { readonly [name: string]: string }): Promise<string | null> {
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
  if (lines.length === 0) return null;
  const folder = await mkdtemp(join(tmpdir(), "outlast-container-"));
  await chmod(folder, 0o700);
  await writeFile(join(folder, "env"), lines.join(""), { mode: 0o600 });
  return folder;
}
