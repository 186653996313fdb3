/** An overlay as an operator writes one: of `deploy/kubernetes/`, with own images, a token, and a volume for what is stored. */
import { chownSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { imageOf, testEnvironment } from "../deploy/testEngine.ts";

const parts = ["mongodb", "master", "worker"] as const;
const userOfImages = 1000;

export type OverlayName = "single" | "cluster" | "fail";

/** Writes the overlays of all names into `folder`. */
export function writeOverlays(folder: string): void {
  cpSync(join("deploy", "kubernetes"), join(folder, "deploy"), { recursive: true });
  writeFileSync(join(folder, "deploy", "base", "secret.env"), `token=${testEnvironment["OUTLAST_TOKEN"]}\n`);
  for (const name of ["single", "cluster", "fail"] as const) {
    mkdirSync(overlayPath(folder, name), { recursive: true });
    const overlay = {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: [`../deploy/${name}`],
      images: parts.map((part) => ({ name: `localhost/outlast-${part}`, newName: imageOf(part) })),
    };
    writeFileSync(join(overlayPath(folder, name), "kustomization.yaml"), JSON.stringify(overlay));
  }
}

export function overlayPath(folder: string, name: OverlayName): string {
  return join(folder, `of-${name}`);
}

/** A volume for any claim, in a folder of this machine: this cluster has no storage of its own. */
export function volumeManifest(folder: string, name: string): string {
  const path = join(folder, "volumes", name);
  mkdirSync(path, { recursive: true });
  chownSync(path, userOfImages, userOfImages);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: "20Gi" },
      accessModes: ["ReadWriteOncePod"],
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path, type: "Directory" },
    },
  });
}
