/** Reads the files that describe services to a worker. */
import { dirname, resolve } from "node:path";
import { RemoteBackend } from "../backends/remote/backend.ts";
import { checkService, type RemoteService } from "../backends/remote/service.ts";
import { OutlastError } from "../model/errors.ts";
import type { RemoteHost } from "../worker/executors/remote.ts";
import { readContent } from "./contentFile.ts";
import { UsageError } from "./failure.ts";

/** @returns them by the names that tasks call them. @throws UsageError for what is wrong in a file */
export async function openRemotes(
  files: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, RemoteHost>> {
  const hosts = new Map<string, RemoteHost>();
  for (const file of files) {
    const service = await readService(file);
    if (hosts.has(service.name)) throw new UsageError(`Two files describe a service with the name ${service.name}.`);
    // Programs are named as seen from the file.
    const backend = new RemoteBackend(service, { directory: dirname(resolve(file)), environment: own(environment) });
    hosts.set(service.name, { backend, pollMs: backend.pollMs });
  }
  return hosts;
}

async function readService(file: string): Promise<RemoteService> {
  const content = await readContent(file);
  try {
    return checkService(content);
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    const { path = "" } = error.details;
    throw new UsageError(`${file}: ${error.message}${path === "" ? "" : ` (at ${path})`}`, "See docs/remote.md.");
  }
}

/** What is Outlast's own, such as the token, is no service's. */
function own(environment: NodeJS.ProcessEnv): { readonly [name: string]: string } {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith("OUTLAST_"));
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
