/** Builds the programs of a Kubernetes cluster from their sources, since no image registry is needed then: once, into the cache. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachePath, filledOnce } from "../cache.ts";
import { isInstalled } from "../debianPackages.ts";

const run = promisify(execFile);
/** One program on one slow processor. */
const buildMsMax = 60 * 60_000;

export const kubernetesVersion = "1.35.4";
const [major, minor] = kubernetesVersion.split(".");
const versionFlags = Object.entries({ gitVersion: `v${kubernetesVersion}`, gitMajor: major, gitMinor: minor })
  .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  .join(" ");

/** What is built, by the folder of the Go module that pins its version: package by program. */
const modules: { readonly [folder: string]: { readonly [program: string]: string } } = {
  programs: {
    pause: "./pause",
    etcd: "go.etcd.io/etcd/server/v3",
    kubectl: "k8s.io/kubernetes/cmd/kubectl",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    kubelet: "k8s.io/kubernetes/cmd/kubelet",
  },
  dns: { coredns: "." },
};

/**
 * The folder that holds the programs. Building them takes about half an hour of processor time and 6 GB in the cache.
 * @param tell hears of each program that is built
 * @throws Error with a sentence if there is no Go
 */
export async function buildPrograms(tell: (text: string) => void): Promise<string> {
  const digest = createHash("sha256");
  for (const folder of Object.keys(modules)) digest.update(readFileSync(join(import.meta.dirname, folder, "go.sum")));
  const name = `kubernetes-${kubernetesVersion}-${digest.digest("hex").slice(0, 12)}`;
  return filledOnce(name, async (target) => {
    if (!isInstalled("go"))
      throw new Error("The programs of Kubernetes are built with Go 1.26, which is not installed: https://go.dev/dl");
    for (const [module, programs] of Object.entries(modules)) {
      for (const [program, source] of Object.entries(programs)) {
        tell(`building ${program}`);
        await build(module, source, join(target, program));
      }
    }
  });
}

async function build(module: string, source: string, target: string): Promise<void> {
  const flags = ["-trimpath", "-buildvcs=false", "-ldflags", `-s -w ${versionFlags}`];
  await run("nice", ["-n", "10", "go", "build", ...flags, "-o", target, source], {
    cwd: join(import.meta.dirname, module),
    timeout: buildMsMax,
    maxBuffer: 64 * 1024 * 1024,
    env: {
      ...process.env,
      CGO_ENABLED: "0",
      GOMODCACHE: cachePath("kubernetes-go", "modules"),
      GOCACHE: cachePath("kubernetes-go", "build"),
    },
  });
}
