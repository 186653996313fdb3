/** The environment that a command runs in: a little of the worker's, what its task adds, and marks that tell whose it is. */
import type { BootId, WorkerId } from "../../model/ids.ts";
import type { AttemptRef } from "../../model/protocol.ts";

/**
 * What a command may see of its worker's environment. All else stays behind: a worker's own environment holds its token, and
 * whatever secrets stand in the shell that it was started from.
 */
const inherited = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR)$/;

const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface ExecutorIdentity {
  readonly worker: WorkerId;
  readonly boot: BootId;
  /** Tells this worker's data directory from those of other clusters on the machine that have a worker of the same name. */
  readonly home: string;
}

export interface Environment {
  readonly [name: string]: string;
}

/** The part of the worker's environment that commands may see. */
export function inheritedEnvironment(environment: { readonly [name: string]: string | undefined }): Environment {
  const kept: { [name: string]: string } = { PATH: standardPath };
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && inherited.test(name)) kept[name] = value;
  }
  return kept;
}

/** The whole environment of one attempt. Its marks come last and win, whatever the task asked for. */
export function attemptEnvironment(
  base: Environment,
  own: Environment | undefined,
  identity: ExecutorIdentity,
  attempt: AttemptRef,
): Environment {
  return {
    ...base,
    ...own,
    OUTLAST_HOME: identity.home,
    OUTLAST_WORKER: identity.worker,
    OUTLAST_BOOT: identity.boot,
    OUTLAST_TASK: attempt.task,
    OUTLAST_ATTEMPT: String(attempt.attempt),
  };
}

/** What all processes of one attempt carry, and nobody else's. */
export function attemptMarks({ boot }: ExecutorIdentity, { task, attempt }: AttemptRef): string[] {
  return [`OUTLAST_BOOT=${boot}`, `OUTLAST_TASK=${task}`, `OUTLAST_ATTEMPT=${attempt}`];
}

/** What all processes of one life of a worker carry. */
export function bootMarks({ boot }: ExecutorIdentity): string[] {
  return [`OUTLAST_BOOT=${boot}`];
}

/** What the processes of all lives of a worker carry. */
export function workerMarks({ home, worker }: ExecutorIdentity): string[] {
  return [`OUTLAST_HOME=${home}`, `OUTLAST_WORKER=${worker}`];
}
