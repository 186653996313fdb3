/**
 * Ends what a worker runs when the worker itself is killed: a tiny process beside it that holds one end of a pipe. When the
 * other end closes, it kills every group that it was told of and every process that carries the boot's mark, until none is left,
 * and removes every container of the boot if it was told that there are some.
 */
import { defaults } from "../../model/limits.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Processes, SpawnError, type StartedProcess } from "../../ports/processes.ts";

/**
 * Called with the boot's mark, the container engine and the label of the boot's containers. A shell script, since it needs a thirtieth of the memory of a second Node. It cannot be ended
 * from a terminal, and gives up after ten seconds: what lives then is stuck in the kernel.
 */
const script = `
exec >/dev/null 2>&1
trap '' HUP INT QUIT TERM
mark=$1
engine=$2
label=$3
containers=no
groups=' '
while read -r line; do
  case $line in
    +*) groups="$groups\${line#+} " ;;
    -*) group=\${line#-}
        case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
    containers) containers=yes ;;
    leave) exit 0 ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
looks=0
quiet=0
while [ $quiet -lt 5 ] && [ $looks -lt 100 ]; do
  looks=$((looks + 1))
  quiet=$((quiet + 1))
  for file in $(grep -lszxF -e "$mark" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -s KILL "\${pid%/environ}" && quiet=0
  done
  sleep 0.1
done
# Its processes are dead where they could be seen; one that was about to start is not there yet.
looks=0
quiet=0
while [ $containers = yes ] && [ $quiet -lt 3 ] && [ $looks -lt 30 ]; do
  looks=$((looks + 1))
  quiet=$((quiet + 1))
  found=$("$engine" ps --all --quiet --filter "label=$label") || quiet=0
  if [ -n "$found" ]; then
    quiet=0
    "$engine" kill $found
    "$engine" rm --force --volumes $found
  fi
  sleep 0.2
done
`;

export interface WatchdogOptions {
  readonly mark: string;
  /** What runs containers here; null if nothing does. */
  readonly engine: WatchedEngine | null;
  readonly path: string;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Log;
}

export interface WatchedEngine {
  /** Podman or docker; absolute. */
  readonly program: string;
  readonly environment: { readonly [name: string]: string };
  /** `name=value` of the containers of this boot. */
  readonly label: string;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #groups = new Set<number>();
  #hasContainers = false;
  #process: StartedProcess | null = null;
  /** The first start, once somebody needed it. */
  #started: Promise<void> | null = null;
  #restart: Timer | null = null;
  #isStopping = false;
  #hasWarned = false;
  #stopped: () => void = () => {};

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Must be awaited before a process is started that it shall watch. Never rejects: without it the kernel's tie remains. */
  ready(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  watch(group: number): void {
    this.#groups.add(group);
    this.#process?.write(`+${group}\n`);
  }

  /** Must be called when the group is empty, before its number can be another's. */
  forget(group: number): void {
    this.#groups.delete(group);
    this.#process?.write(`-${group}\n`);
  }

  /** Must be called before the first container is started. */
  watchContainers(): void {
    if (this.#hasContainers) return;
    this.#hasContainers = true;
    this.#process?.write("containers\n");
  }

  /** Sends it away. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#restart?.cancel();
    await this.#started;
    if (this.#process === null) return;
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
      this.#process?.write("leave\n");
    });
  }

  async #start(): Promise<void> {
    const { processes, clock, mark, path, log, engine } = this.#options;
    const startedAt = clock.now();
    const argv = ["/bin/sh", "-c", script, "outlast-watchdog", mark, engine?.program ?? "", engine?.label ?? ""];
    try {
      this.#process = await processes.spawn(
        { argv, env: { PATH: path, ...engine?.environment }, cwd: "/", home: "/", isTied: false, hasInput: true },
        { onOutput: () => {}, onOutputEnd: () => {}, onExit: () => this.#onExit(startedAt) },
      );
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      this.#warn(error.message);
      return this.#startLater();
    }
    log.debug("The watchdog is there.", { pid: this.#process.pid });
    for (const group of this.#groups) this.#process.write(`+${group}\n`);
    if (this.#hasContainers) this.#process.write("containers\n");
  }

  #onExit(startedAt: number): void {
    this.#process = null;
    if (this.#isStopping) return this.#stopped();
    this.#warn("It ended.");
    if (this.#options.clock.now() - startedAt < defaults.watchdogRestartMs) this.#startLater();
    else void this.#start();
  }

  #startLater(): void {
    const { clock } = this.#options;
    if (!this.#isStopping) this.#restart = clock.at(clock.now() + defaults.watchdogRestartMs, () => void this.#start());
  }

  #warn(reason: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const message =
      "The watchdog is not there: should this worker be killed now, children of its tasks could survive it.";
    this.#options.log.warn(message, { reason });
  }
}
