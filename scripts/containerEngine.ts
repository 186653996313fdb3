/** `node scripts/containerEngine.ts` makes this machine ready for containers and starts one; where none can run, it says why and fails. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Engine } from "../src/proof/containers/engine.ts";
import { installPackages, isInstalled } from "./debianPackages.ts";

const run = promisify(execFile);
const tryMsMax = 60_000;

/** Podman's settings for tests: what works as root, also without systemd and without an image registry. */
export const podmanSettings = join(import.meta.dirname, "..", "tests", "deploy", "containers.conf");

/** @throws Error with a sentence if no container can run here */
export async function prepareEngine(): Promise<void> {
  const podman = {
    podman: "podman",
    runc: "runc",
    iptables: "iptables",
    "/usr/lib/podman/netavark": "netavark",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns",
  };
  await installPackages({
    ...(!isInstalled("podman") && (await doesDockerAnswer()) ? {} : podman),
    mmdebstrap: "mmdebstrap",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
  });
  const engine = Engine.find(process.env);
  // Podman can run a program of this machine, so that not even an image is needed; docker is asked whether it is there at all.
  const words = engine.isPodman ? ["run", "--rm", "--rootfs", "/:O", "true"] : ["info"];
  const environment = { CONTAINERS_CONF: podmanSettings, ...process.env };
  try {
    await run(engine.program, words, { timeout: tryMsMax, env: environment });
  } catch (error) {
    const { stderr = "", message = "" } = error as { stderr?: string; message?: string };
    throw new Error(`Containers do not run on this machine: ${(stderr.trim() || message).split("\n").at(-1)}`, {
      cause: error,
    });
  }
}

/** Docker's client is often installed without its daemon. */
async function doesDockerAnswer(): Promise<boolean> {
  if (!isInstalled("docker")) return false;
  return run("docker", ["info"], { timeout: tryMsMax }).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  try {
    await prepareEngine();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
