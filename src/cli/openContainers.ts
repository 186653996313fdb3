/** Finds the container engine of this machine for a worker, and checks that it works. */
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { bootLabel, ContainerBackend } from "../backends/container/backend.ts";
import { ContainerEngine } from "../backends/container/engine.ts";
import type { BootId } from "../model/ids.ts";
import { BackendTrouble } from "../ports/backend.ts";
import type { ContainerHost } from "../worker/executors/executor.ts";
import { LocalFailure, UsageError } from "./failure.ts";
import type { ContainerFlags } from "./serverOptions.ts";

const engines = ["podman", "docker"] as const;
const without = "Start the worker without --container, or get the engine to work first.";

export interface ContainerOwner {
  /** Of the worker's directory. */
  readonly home: string;
  readonly boot: BootId;
  /** The user whom tasks run as; undefined for the worker's own. */
  readonly runAs: string | undefined;
}

/** @returns null if the worker is to run no containers. @throws UsageError, or LocalFailure if the engine does not work */
export async function openContainers(
  { container, containerMount = [] }: ContainerFlags,
  { home, boot, runAs }: ContainerOwner,
  environment: NodeJS.ProcessEnv,
): Promise<(ContainerHost & { readonly name: string }) | null> {
  if (container === undefined) {
    if (containerMount.length > 0) throw new UsageError("--container-mount does nothing without --container.");
    return null;
  }
  if (runAs !== undefined)
    throw new UsageError(
      "--container and --run-as exclude each other: containers would have the rights of the worker, not of that user.",
      "Start two workers.",
    );
  const engine = new ContainerEngine(findProgram(container, environment), environmentOf(environment));
  try {
    await engine.check();
  } catch (error) {
    if (!(error instanceof BackendTrouble)) throw error;
    throw new LocalFailure(`Containers cannot run here. ${error.message}`, without);
  }
  const mountable = containerMount.map((folder) => resolve(folder));
  return {
    name: engine.name,
    backend: new ContainerBackend({ engine, owner: home, mountable }),
    engine: { program: engine.program, environment: engine.environment, label: `${bootLabel}=${boot}` },
  };
}

function findProgram(wanted: string | true, { PATH = "" }: NodeJS.ProcessEnv): string {
  const isKnown = wanted === true || isAbsolute(wanted) || engines.some((name) => name === wanted);
  if (!isKnown) throw new UsageError(`"${wanted}" is not a container engine. There are podman and docker.`);
  if (wanted !== true && isAbsolute(wanted)) return wanted;
  const names = wanted === true ? engines : [wanted];
  const found = names.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name))).find(isProgram);
  if (found !== undefined) return found;
  throw new LocalFailure(
    wanted === true ? "Neither podman nor docker is installed." : `${wanted} is not installed.`,
    without,
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isAbsolute(path);
  } catch {
    return false;
  }
}

/** Engines find their settings and their sockets by it. What is Outlast's own, such as the token, is not theirs. */
function environmentOf(environment: NodeJS.ProcessEnv): { readonly [name: string]: string } {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith("OUTLAST_"));
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
