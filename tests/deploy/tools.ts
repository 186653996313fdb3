/** Tools that these tests need and no package of ours brings: installed once, in a cache outside the checkout. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const installMsMax = 10 * 60_000;

const kustomizeVersion = "v5.7.1";
const kubernetesValidateVersion = "1.35.0";
const podmanComposeVersion = "1.5.0";

/** Renders what stands in `deploy/kubernetes/`. */
export function installKustomize(): Promise<string> {
  return install(`kustomize-${kustomizeVersion}`, "kustomize", async (folder) => {
    const source = `sigs.k8s.io/kustomize/kustomize/v5@${kustomizeVersion}`;
    await run("go", ["install", source], { timeout: installMsMax, env: { ...process.env, GOBIN: folder } });
  });
}

/** Checks manifests against the schemas of Kubernetes, which it brings. */
export function installValidator(): Promise<string> {
  return installPython(`kubernetes-validate==${kubernetesValidateVersion}`, "kubernetes-validate");
}

/** Runs a compose file with podman. */
export function installPodmanCompose(): Promise<string> {
  return installPython(`podman-compose==${podmanComposeVersion}`, "podman-compose");
}

/** A program of a Python package, in a virtual environment. */
function installPython(requirement: string, program: string): Promise<string> {
  return install(requirement.replace("==", "-"), join("bin", program), async (folder) => {
    await run("python3", ["-m", "venv", folder], { timeout: installMsMax });
    await run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", requirement], {
      timeout: installMsMax,
    });
  });
}

/** The path of the program; `fill` puts it into the folder if it is not there. */
async function install(name: string, program: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const cache = process.env["OUTLAST_CACHE"] ?? join(homedir(), ".cache", "outlast");
  const folder = join(cache, name);
  const path = join(folder, program);
  if (existsSync(join(folder, "installed"))) return path;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await fill(folder);
  // Whatever was broken off before this line is made anew.
  mkdirSync(join(folder, "installing"));
  renameSync(join(folder, "installing"), join(folder, "installed"));
  return path;
}
