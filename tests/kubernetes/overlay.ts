/** An overlay as an operator writes one: of `deploy/kubernetes/`, with own images, a token, and a volume for what is stored. */
import { chownSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { imageOf, testEnvironment } from "../deploy/testEngine.ts";

const parts = ["mongodb", "master", "worker"] as const;
const userOfImages = 1000;

/** Each with the overlay of `deploy/kubernetes/` that it is made of, and what it adds. */
const overlays = {
  single: { of: "single", components: [] },
  cluster: { of: "cluster", components: [] },
  fail: { of: "fail", components: [] },
  "map-reduce": { of: "cluster", components: ["map-reduce"] },
  "map-reduce-fail": { of: "fail", components: ["map-reduce"] },
} as const;

export type OverlayName = keyof typeof overlays;

/** Writes the overlays of all names into `folder`. */
export function writeOverlays(folder: string): void {
  cpSync(join("deploy", "kubernetes"), join(folder, "deploy"), { recursive: true });
  writeFileSync(join(folder, "deploy", "base", "secret.env"), `token=${testEnvironment["OUTLAST_TOKEN"]}\n`);
  for (const [name, { of, components }] of Object.entries(overlays)) {
    mkdirSync(overlayPath(folder, name as OverlayName), { recursive: true });
    const overlay = {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      // What components add belongs into the same namespace.
      namespace: "outlast",
      resources: [`../deploy/${of}`],
      components: components.map((component) => `../deploy/${component}`),
      images: parts.map((part) => ({ name: `localhost/outlast-${part}`, newName: imageOf(part) })),
    };
    writeFileSync(join(overlayPath(folder, name as OverlayName), "kustomization.yaml"), JSON.stringify(overlay));
  }
}

export function overlayPath(folder: string, name: OverlayName): string {
  return join(folder, `of-${name}`);
}

/** Where a volume lies on this machine. */
export function volumePath(folder: string, name: string): string {
  return join(folder, "volumes", name);
}

export type VolumeAccess = "ReadWriteOncePod" | "ReadWriteMany";

/** A volume for any claim of that access, in a folder of this machine: this cluster has no storage of its own. */
export function volumeManifest(folder: string, name: string, access: VolumeAccess): string {
  const path = volumePath(folder, name);
  mkdirSync(path, { recursive: true });
  chownSync(path, userOfImages, userOfImages);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: "20Gi" },
      accessModes: [access],
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path, type: "Directory" },
    },
  });
}
