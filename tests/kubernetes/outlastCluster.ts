/** Outlast in a Kubernetes cluster, as an operator with kubectl and a client outside of it see it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesCluster } from "../../scripts/kubernetes/cluster.ts";
import { addresses } from "../../scripts/kubernetes/machine.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import { until } from "../../src/proof/cluster/until.ts";
import { LiveStates } from "../../src/proof/demo/witness.ts";
import { createClient, type Outlast } from "../../src/sdk/client.ts";
import { testEnvironment } from "../deploy/testEngine.ts";
import { type OverlayName, overlayPath, type VolumeAccess, volumeManifest } from "./overlay.ts";

const namespace = "outlast";
export const waitMsMax = 120_000;

export type Component = "mongodb" | "master" | "worker";

export interface Pod {
  readonly name: string;
  readonly address: string;
  /** Ready, and not on its way out. */
  readonly isReady: boolean;
  readonly isLeaving: boolean;
  readonly restarts: number;
}

/** As far as these tests read it. */
interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[];
  };
}

export class OutlastCluster {
  readonly #cluster: KubernetesCluster;
  readonly #folder: string;
  readonly #ending = new AbortController();
  readonly live = new LiveStates();
  #client: Outlast | null = null;
  readonly #asked = new Map<string, number>();

  constructor(cluster: KubernetesCluster, folder: string) {
    this.#cluster = cluster;
    this.#folder = folder;
  }

  kubectl(...words: readonly string[]): Promise<string> {
    return this.#cluster.kubectl("--namespace", namespace, ...words);
  }

  async apply(overlay: OverlayName): Promise<void> {
    await this.#cluster.kubectl("apply", "--kustomize", overlayPath(this.#folder, overlay));
  }

  async addVolume(name: string, access: VolumeAccess = "ReadWriteOncePod"): Promise<void> {
    const file = join(this.#folder, `${name}.json`);
    writeFileSync(file, volumeManifest(this.#folder, name, access));
    await this.#cluster.kubectl("apply", "--filename", file);
  }

  /** Waits until a Deployment or StatefulSet is as it was asked for: all of its pods of the latest kind, and ready. */
  async rolledOut(...workloads: readonly string[]): Promise<void> {
    for (const workload of workloads)
      await this.kubectl("rollout", "status", workload, `--timeout=${waitMsMax / 1000}s`);
  }

  /** Opens the client for the entry, or for another service's port of the node. */
  async connect(service: string): Promise<void> {
    const port = await this.kubectl("get", "service", service, "--output", "jsonpath={.spec.ports[0].nodePort}");
    const options = { masters: `http://${addresses.inside}:${port}`, token: testEnvironment["OUTLAST_TOKEN"] ?? null };
    this.#client = createClient({ ...options, retryForMs: waitMsMax });
    const follower = createClient({ ...options, retryForMs: Number.POSITIVE_INFINITY });
    void this.live.follow(follower, this.#ending.signal);
  }

  close(): void {
    this.#ending.abort();
  }

  get client(): Outlast {
    if (this.#client === null) throw new Error("Nobody is connected yet.");
    return this.#client;
  }

  /** What was acknowledged, with the seconds that each task sleeps. */
  get asked(): ReadonlyMap<string, number> {
    return this.#asked;
  }

  async submit(seconds: number): Promise<string> {
    const { id } = await this.client.submit({ kind: "sleep", input: { seconds } });
    this.#asked.set(id, seconds);
    return id;
  }

  /** Waits until the task runs. Resolves with the pod that runs it. */
  async hostOf(id: string): Promise<string> {
    return until(`${id} to run`, waitMsMax, async () => {
      const task = await this.client.get(id);
      return task.state === "running" ? (task.host ?? null) : null;
    });
  }

  async ended(ids: readonly string[]): Promise<TaskDocument[]> {
    const documents: TaskDocument[] = [];
    for (const id of ids) documents.push(await this.client.wait(id));
    return documents;
  }

  /** How often containers of this kind have been started anew in the pods that are there. */
  async restarts(component: Component): Promise<number> {
    return (await this.pods(component)).reduce((sum, { restarts }) => sum + restarts, 0);
  }

  async pods(component: Component): Promise<Pod[]> {
    const selector = `app.kubernetes.io/component=${component}`;
    const { items } = JSON.parse(await this.kubectl("get", "pods", "--selector", selector, "--output", "json")) as {
      items: PodObject[];
    };
    return items.map(({ metadata, status }) => ({
      name: metadata.name,
      address: status.podIP ?? "",
      isLeaving: metadata.deletionTimestamp !== undefined,
      isReady: metadata.deletionTimestamp === undefined && status.containerStatuses?.[0]?.ready === true,
      restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
    }));
  }

  /** Waits until so many pods are ready and no other is there. */
  async settled(component: Component, count: number): Promise<Pod[]> {
    return until(`${count} pods of ${component}`, waitMsMax, async () => {
      const pods = await this.pods(component);
      return pods.length === count && pods.every(({ isReady }) => isReady) ? pods : null;
    });
  }

  /** The pod that leads, by the last marker in the journal. */
  async leader(): Promise<Pod> {
    return until("a master to lead", waitMsMax, async () => {
      const address = new URL(this.live.leader?.address ?? "http://none").hostname;
      return (await this.pods("master")).find((pod) => pod.address === address);
    });
  }
}
