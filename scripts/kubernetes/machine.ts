/**
 * A machine within this one, for the node of a cluster: own network, mounts and processes. All of it ends with this process, and
 * nothing of it changes the machine around it, except for cgroups, which are removed at the end.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../../src/proof/cluster/until.ts";

const run = promisify(execFile);
const startMsMax = 10_000;
const cgroupsMsMax = 20_000;

/** The network between this machine and the one within it. */
export const addresses = { outside: "10.89.79.1", inside: "10.89.79.2" } as const;
const linkName = "outlast-k8s";

/** The kubelet sets these for the whole machine. In here it writes into files that stand in their places. */
const keptSettings = [
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxbytes",
  "kernel/keys/root_maxkeys",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
];

/** What the kubelet calls its part of each hierarchy of cgroups. */
const kubeletCgroup = "kubepods";
const cgroupRoot = "/sys/fs/cgroup";

export class Machine {
  readonly #folder: string;
  readonly #holder: ChildProcess;
  /** Of the first process in there. */
  readonly #pid: number;

  private constructor(folder: string, holder: ChildProcess, pid: number) {
    this.#folder = folder;
    this.#holder = holder;
    this.#pid = pid;
  }

  /** @param folder for logs and what stands in for settings of the kernel */
  static async start(folder: string): Promise<Machine> {
    const used = cgroups().find(hasProcesses);
    if (used !== undefined) throw new Error(`A kubelet runs on this machine: it has processes in ${used}.`);
    // A run that was killed has left its own behind.
    for (const cgroup of cgroups()) removeCgroup(cgroup);
    mkdirSync(join(folder, "logs"), { recursive: true });
    // It ends when its input does, however this process ends; the kernel then ends all other processes in there.
    const own = ["--net", "--mount", "--propagation", "private", "--pid", "--mount-proc", "--fork", "--kill-child"];
    const holder = spawn("unshare", [...own, "tini", "--", "cat"], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    const ended = once(holder, "exit").then(([code]) => {
      throw new Error(`unshare ended with ${String(code)}.`);
    });
    ended.catch(() => undefined);
    const pid = await Promise.race([ended, until("the first process", startMsMax, () => childOf(holder.pid ?? 0))]);
    const machine = new Machine(folder, holder, pid);
    await machine.#keepSettings();
    await machine.#connect();
    return machine;
  }

  /** The command that runs a program in there. */
  command(...words: readonly string[]): readonly [string, ...string[]] {
    return ["nsenter", "--target", String(this.#pid), "--net", "--mount", "--pid", "--", ...words];
  }

  /** Runs a program in there to its end. */
  async run(...words: readonly string[]): Promise<string> {
    const [program, ...rest] = this.command(...words);
    return (await run(program, rest, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  }

  /** Starts a program that runs on. What it prints goes into `logs/`. */
  launch(name: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const [program, ...rest] = this.command(...words);
    const log = openSync(this.logPath(name), "a");
    const child = spawn(program, rest, {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...environment },
      detached: true,
    });
    closeSync(log);
    child.unref();
    return child;
  }

  logPath(name: string): string {
    return join(this.#folder, "logs", `${name}.log`);
  }

  /** Ends all processes in there and removes their cgroups. */
  async stop(): Promise<void> {
    if (this.#holder.exitCode === null && this.#holder.signalCode === null) {
      const exit = once(this.#holder, "exit");
      process.kill(this.#pid, "SIGKILL");
      await exit;
    }
    await until("the cgroups to be empty", cgroupsMsMax, () => {
      for (const cgroup of cgroups()) removeCgroup(cgroup);
      return cgroups().length === 0;
    });
  }

  async #keepSettings(): Promise<void> {
    const folder = join(this.#folder, "settings");
    mkdirSync(folder, { recursive: true });
    for (const setting of keptSettings) {
      const real = join("/proc/sys", setting);
      const file = join(folder, setting.replaceAll("/", "."));
      writeFileSync(file, readFileSync(real));
      await this.run("mount", "--bind", file, real);
    }
  }

  /** The node's interface is a bridge: a link alone would be down whenever its other end is. */
  async #connect(): Promise<void> {
    const pid = String(this.#pid);
    await run("ip", ["link", "add", linkName, "type", "veth", "peer", "name", "outside", "netns", pid]);
    await run("ip", ["address", "add", `${addresses.outside}/24`, "dev", linkName]);
    await run("ip", ["link", "set", linkName, "up"]);
    const commands = [
      "link set lo up",
      "link add node type bridge",
      `address add ${addresses.inside}/24 dev node`,
      "link set outside master node",
      "link set outside up",
      "link set node up",
      `route add default via ${addresses.outside}`,
    ];
    for (const command of commands) await this.run("ip", ...command.split(" "));
  }
}

function childOf(parent: number): number | null {
  const path = `/proc/${parent}/task/${parent}/children`;
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return text === "" ? null : Number.parseInt(text, 10);
}

/** The kubelet's cgroups, one in each hierarchy. */
function cgroups(): string[] {
  const hierarchies = [cgroupRoot, ...readdirSync(cgroupRoot).map((name) => join(cgroupRoot, name))];
  return hierarchies.map((hierarchy) => join(hierarchy, kubeletCgroup)).filter((path) => existsSync(path));
}

function hasProcesses(cgroup: string): boolean {
  return readdirSync(cgroup, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("cgroup.procs"))
    .some((path) => readFileSync(join(cgroup, path), "utf8") !== "");
}

/** As far as no process is in it any more. */
function removeCgroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
  }
}
