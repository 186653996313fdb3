/** Tools that these tests need and no package of ours brings: installed once, in a cache outside the checkout. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { filledOnce } from "../../scripts/cache.ts";

const run = promisify(execFile);
const installMsMax = 10 * 60_000;

const kustomizeVersion = "v5.7.1";
const kubernetesValidateVersion = "1.35.0";
const podmanComposeVersion = "1.5.0";

/** Renders what stands in `deploy/kubernetes/`. */
export async function installKustomize(): Promise<string> {
  const folder = await filledOnce(`kustomize-${kustomizeVersion}`, async (target) => {
    const source = `sigs.k8s.io/kustomize/kustomize/v5@${kustomizeVersion}`;
    await run("go", ["install", source], { timeout: installMsMax, env: { ...process.env, GOBIN: target } });
  });
  return join(folder, "kustomize");
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
async function installPython(requirement: string, program: string): Promise<string> {
  const folder = await filledOnce(requirement.replace("==", "-"), async (target) => {
    await run("python3", ["-m", "venv", target], { timeout: installMsMax });
    await run(join(target, "bin", "python"), ["-m", "pip", "install", "--quiet", requirement], {
      timeout: installMsMax,
    });
  });
  return join(folder, "bin", program);
}
