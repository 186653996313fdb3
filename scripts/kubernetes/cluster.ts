/** A whole Kubernetes cluster of one node on this machine, from its own programs: etcd, control plane, kubelet, network, names. */
import { execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../../src/proof/cluster/until.ts";
import { Engine } from "../../src/proof/containers/engine.ts";
import { cachePath } from "../cache.ts";
import { installPackages } from "../debianPackages.ts";
import { addresses, Machine } from "./machine.ts";
import { buildPrograms } from "./programs.ts";
import * as settings from "./settings.ts";

const run = promisify(execFile);
const readyMsMax = 120_000;
const outputBytesMax = 64 * 1024 * 1024;
const pauseImage = "localhost/pause:1";

const packages = {
  containerd: "containerd",
  runc: "runc",
  tini: "tini",
  iptables: "iptables",
  ip: "iproute2",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
};

/**
 * Installs and builds what a cluster needs, and says so. Resolves with the folder of its programs.
 * @throws Error with a sentence if this machine is not fit for one
 */
export async function prepareMachine(tell: (text: string) => void): Promise<string> {
  if (process.getuid?.() !== 0) throw new Error("A Kubernetes cluster needs root on this machine.");
  await installPackages(packages);
  return buildPrograms(tell);
}

export class KubernetesCluster {
  /** Logs, state and settings of all programs; gone when the cluster is. */
  readonly folder: string;
  /** The folder of its programs, kubectl among them. */
  readonly programs: string;
  readonly #machine: Machine;
  readonly #engine = Engine.find(process.env);

  private constructor(folder: string, programs: string, machine: Machine) {
    this.folder = folder;
    this.programs = programs;
    this.#machine = machine;
  }

  /** Resolves when its node is ready for pods. */
  static async start(tell: (text: string) => void): Promise<KubernetesCluster> {
    const programs = await prepareMachine(tell);
    mkdirSync(cachePath(), { recursive: true });
    // Not in /tmp: images and their layers may be larger than that, and overlays cannot lie on each other.
    const folder = mkdtempSync(join(cachePath(), "kubernetes-run-"));
    const cluster = new KubernetesCluster(folder, programs, await Machine.start(folder));
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      tell(`the cluster did not start; its logs are in ${folder}/logs`);
      await cluster.#machine.stop();
      throw error;
    }
  }

  get kubeconfig(): string {
    return join(this.folder, "kubeconfig");
  }

  /** Where the kubelet keeps the logs of containers: `NAMESPACE_POD_UID/CONTAINER/N.log`. */
  get podLogs(): string {
    return join(this.folder, "pods");
  }

  /** Runs kubectl to its end. @throws Error if its exit code is not 0 */
  async kubectl(...words: readonly string[]): Promise<string> {
    const options = { maxBuffer: outputBytesMax, env: { ...process.env, KUBECONFIG: this.kubeconfig } };
    return (await run(join(this.programs, "kubectl"), words, options)).stdout;
  }

  /** Takes images over from podman or docker; layers that they share are taken once. */
  async loadImages(...images: readonly string[]): Promise<void> {
    const archive = join(this.folder, "images.tar");
    // Docker puts any number of images into one archive by itself.
    const several = this.#engine.isPodman ? ["--multi-image-archive"] : [];
    await this.#engine.run("save", ...several, "--output", archive, ...images);
    await this.#ctr("images", "import", archive);
    rmSync(archive);
  }

  /** Gives an image another name as well. */
  async tagImage(image: string, other: string): Promise<void> {
    await this.#ctr("images", "tag", image, other);
  }

  /** @param isKept true to leave the logs where they are */
  async stop(isKept = false): Promise<void> {
    await this.#machine.stop();
    if (!isKept) rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const token = randomBytes(24).toString("hex");
    const certificates = join(this.folder, "certificates");
    this.#write("tokens.csv", `${token},admin,admin,system:masters\n`);
    this.#write("kubeconfig", settings.kubeconfig(token, join(certificates, "apiserver.crt")));
    this.#write("resolv.conf", "");
    this.#write("kubelet.json", settings.kubeletSettings(this.folder));
    this.#write("proxy.json", settings.proxySettings(this.folder));
    this.#write("Corefile", settings.dnsSettings(this.folder));
    this.#write("containerd.toml", settings.containerdSettings(this.folder, pauseImage));
    mkdirSync(join(this.folder, "cni"));
    this.#write("cni/pods.conflist", settings.podNetworkSettings(this.folder));
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.#write("accounts.key", keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    this.#write("accounts.pub", keys.publicKey.export({ type: "spki", format: "pem" }).toString());

    this.#machine.launch("containerd", ["containerd", "--config", join(this.folder, "containerd.toml")]);
    this.#startStore();
    this.#startApi(certificates);
    await until("the API server", readyMsMax, () => this.#answers("get", "--raw", "/readyz"));
    this.#startControllers();
    await until("containerd", readyMsMax, () => existsSync(join(this.folder, "containerd.sock")));
    await this.#loadPause();
    this.#startNode();
    await until("the node to be ready", readyMsMax, () =>
      this.#answers("wait", "--for=condition=Ready", `node/${settings.nodeName}`, "--timeout=5s"),
    );
  }

  #startStore(): void {
    const url = "http://127.0.0.1:2379";
    // Nothing of it outlives the cluster, so it need not wait for the disk.
    this.#launch("etcd", {
      "data-dir": join(this.folder, "etcd"),
      "listen-client-urls": url,
      "advertise-client-urls": url,
      "log-level": "warn",
      "unsafe-no-fsync": "true",
    });
  }

  #startApi(certificates: string): void {
    this.#launch("kube-apiserver", {
      "etcd-servers": "http://127.0.0.1:2379",
      "cert-dir": certificates,
      "secure-port": String(settings.apiPort),
      "advertise-address": addresses.inside,
      "service-cluster-ip-range": settings.serviceSubnet,
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-account-key-file": join(this.folder, "accounts.pub"),
      "service-account-signing-key-file": join(this.folder, "accounts.key"),
      "token-auth-file": join(this.folder, "tokens.csv"),
      "authorization-mode": "Node,RBAC",
      // No name server knows the node, and `kubectl logs` goes there.
      "kubelet-preferred-address-types": "InternalIP",
    });
  }

  #startControllers(): void {
    const { kubeconfig } = this;
    this.#launch("kube-controller-manager", {
      kubeconfig,
      "service-account-private-key-file": join(this.folder, "accounts.key"),
      "leader-elect": "false",
      controllers: "*,-nodeipam,-cloud-node-lifecycle-controller",
    });
    this.#launch("kube-scheduler", { kubeconfig, "leader-elect": "false" });
  }

  #startNode(): void {
    this.#launch("kubelet", {
      config: join(this.folder, "kubelet.json"),
      kubeconfig: this.kubeconfig,
      "hostname-override": settings.nodeName,
      "node-ip": addresses.inside,
      "root-dir": join(this.folder, "kubelet"),
      "cert-dir": join(this.folder, "kubelet", "pki"),
      "oom-score-adj": "0",
    });
    this.#launch("kube-proxy", { config: join(this.folder, "proxy.json") });
    this.#launch("coredns", { conf: join(this.folder, "Corefile") });
  }

  /** The image of the container that holds each pod's namespaces. */
  async #loadPause(): Promise<void> {
    const file = join(import.meta.dirname, "programs", "pause", "Dockerfile");
    await this.#engine.run("build", "--quiet", "--tag", pauseImage, "--file", file, this.programs);
    await until("containerd to answer", readyMsMax, () =>
      this.#ctr("version").then(
        () => true,
        () => false,
      ),
    );
    await this.loadImages(pauseImage);
  }

  async #ctr(...words: readonly string[]): Promise<void> {
    await this.#machine.run(
      "ctr",
      "--address",
      join(this.folder, "containerd.sock"),
      "--namespace",
      "k8s.io",
      ...words,
    );
  }

  async #answers(...words: readonly string[]): Promise<boolean> {
    return this.kubectl(...words).then(
      () => true,
      () => false,
    );
  }

  #launch(program: string, options: { readonly [name: string]: string }): void {
    const dash = program === "coredns" ? "-" : "--";
    const words = Object.entries(options).map(([name, value]) => `${dash}${name}=${value}`);
    this.#machine.launch(program, [join(this.programs, program), ...words]);
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text, { mode: 0o600 });
  }
}
