/** What stands in `deploy/kubernetes/` and in the compose files: valid, and as sealed as it says. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installKustomize, installPodmanCompose, installValidator } from "./tools.ts";

const run = promisify(execFile);
const kubernetesVersion = "1.35";
const overlays = ["single", "cluster", "replicated", "fail", "of-map-reduce"] as const;
const folder = mkdtempSync(join(tmpdir(), "outlast-manifests-"));
let kustomize = "";
let validator = "";

beforeAll(async () => {
  [kustomize, validator] = await Promise.all([installKustomize(), installValidator()]);
  cpSync(join("deploy", "kubernetes"), folder, { recursive: true });
  writeFileSync(join(folder, "base", "secret.env"), "token=a-token-for-tests-only-0123456789\n");
  mkdirSync(join(folder, "of-map-reduce"));
  const withComponent = { namespace: "outlast", resources: ["../cluster"], components: ["../map-reduce"] };
  writeFileSync(join(folder, "of-map-reduce", "kustomization.yaml"), JSON.stringify(withComponent));
  for (const overlay of overlays) writeFileSync(join(folder, `${overlay}.yaml`), await render(overlay));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function render(overlay: string): Promise<string> {
  return (await run(kustomize, ["build", join(folder, overlay)])).stdout;
}

/** Resolves with what the validator complains of; empty if all is well. */
async function complaints(file: string): Promise<string> {
  try {
    await run(validator, ["--strict", "--quiet", "--kubernetes-version", kubernetesVersion, file]);
    return "";
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}` || String(error);
  }
}

describe.each(overlays)("the overlay %s", (overlay) => {
  test("is valid for Kubernetes, with nothing that it does not know", async () => {
    expect(await complaints(join(folder, `${overlay}.yaml`))).toBe("");
  });

  test("runs every container without privileges, with bounds and probes", async () => {
    const pods = (await render(overlay))
      .split(/^---$/m)
      .filter((text) => /^kind: (Deployment|StatefulSet)$/m.test(text));
    expect(pods.length).toBeGreaterThanOrEqual(2);
    for (const pod of pods) {
      for (const line of [
        "runAsNonRoot: true",
        "runAsUser: 1000",
        "type: RuntimeDefault",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "automountServiceAccountToken: false",
        "readinessProbe:",
        "livenessProbe:",
        "requests:",
        "limits:",
        "terminationGracePeriodSeconds:",
      ]) {
        expect(pod).toContain(line);
      }
      expect(pod).toMatch(/drop:\s+- ALL/);
    }
  });

  test("fails on purpose only where it says so", async () => {
    const text = await render(overlay);
    expect(text.includes("OUTLAST_FAIL")).toBe(overlay === "fail");
    expect(text.includes("--allow-faults")).toBe(overlay === "fail");
  });
});

test("workers of a cluster for MapReduce have the folder that the job of the example uses", async () => {
  const job = readFileSync(join(folder, "map-reduce", "wordcount.yaml"), "utf8");
  expect(await complaints(join(folder, "map-reduce", "wordcount.yaml"))).toBe("");
  const worker = (await render("of-map-reduce")).split(/^---$/m).find((text) => /^ {2}name: worker$/m.test(text)) ?? "";
  for (const text of [worker, job]) {
    expect(text).toMatch(/mountPath: \/shared$/m);
    expect(text).toMatch(/claimName: shared$/m);
  }
  for (const line of ["runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false"])
    expect(job).toContain(line);
});

test("a replica set of three has one list of members everywhere, lets them reach each other, and loses one at a time", async () => {
  const parts = (await render("replicated")).split(/^---$/m);
  const part = (kind: string, name: string) =>
    parts.find((text) => new RegExp(`^kind: ${kind}$`, "m").test(text) && text.includes(`\n  name: ${name}\n`)) ?? "";
  const set = part("StatefulSet", "mongodb");
  const job = part("Job", "mongodb-initiate");
  const members = [0, 1, 2].map((index) => `mongodb-${index}.mongodb:27017`).join(",");
  for (const text of [set, job]) expect(text).toContain(`value: ${members}\n`);
  expect(part("Deployment", "master")).toContain(`value: mongodb://${members}/outlast?replicaSet=outlast&w=majority\n`);
  expect(set).toContain("replicas: 3");
  expect(part("PodDisruptionBudget", "mongodb")).toContain("minAvailable: 2");
  const policy = part("NetworkPolicy", "mongodb");
  for (const component of ["master", "mongodb", "mongodb-initiate"])
    expect(policy).toContain(
      `- podSelector:\n        matchLabels:\n          app.kubernetes.io/component: ${component}\n`,
    );
  for (const line of ["runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false"])
    expect(job).toContain(line);
  // One that was done must not stand in the way of the next apply.
  expect(job).toContain("ttlSecondsAfterFinished:");
});

test("the compose file of a replica set of three names its members everywhere", async () => {
  const files = ["compose.yaml", "compose-replicated.yaml"].flatMap((file) => ["--file", join("deploy", file)]);
  const { stdout } = await run(await installPodmanCompose(), [...files, "config"], {
    env: { ...process.env, OUTLAST_TOKEN: "a-token-for-tests-only-0123456789" },
  });
  const members = "mongodb:27017,mongodb-2:27017,mongodb-3:27017";
  const services = stdout.slice(stdout.indexOf("\nservices:"), stdout.indexOf("\nvolumes:"));
  const count = (text: string) => services.split(text).length - 1;
  expect(count(`OUTLAST_MONGODB_MEMBERS: ${members}\n`)).toBe(4);
  expect(count(`OUTLAST_STORE: mongodb://${members}/outlast?replicaSet=outlast&w=majority\n`)).toBe(2);
  expect(count("read_only: true")).toBe(7);
});

test("the validator sees a field that Kubernetes does not know", async () => {
  const file = join(folder, "wrong.yaml");
  writeFileSync(file, (await render("cluster")).replace("minAvailable: 2", "minAvalable: 2"));
  expect(await complaints(file)).toContain("minAvalable");
});

test("a worker's grace period is longer than its drain", async () => {
  const text = await render("cluster");
  const grace = Number(/terminationGracePeriodSeconds: (3\d\d)/.exec(text)?.[1]);
  const drain = Number(/value: (\d+)s/.exec(text)?.[1]);
  expect(grace).toBeGreaterThan(drain);
});
