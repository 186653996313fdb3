/**
 * Faults on purpose, for demonstrations: a process that kills or stops itself at a chosen point.
 *
 * Two things must be said on purpose, so that no stray variable can do it: the option `--allow-faults` and the variable `OUTLAST_FAIL`.
 * Without them nothing is wrapped, and none of this runs.
 */

import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import type { AttemptSession, Executor } from "../ports/work.ts";
import { UsageError } from "./failure.ts";

const points = {
  master: ["after-assign"],
  worker: ["after-start", "after-end"],
} as const;
const manners = { kill: "SIGKILL", hang: "SIGSTOP" } as const;
const pattern = /^(?:(?<name>[^/]+)\/)?(?<point>[a-z-]+):(?<count>[1-9]\d{0,8})(?::(?<manner>[a-z]+))?$/;

type Role = keyof typeof points;
type Point = (typeof points)[Role][number];

const formHint =
  "It looks like after-assign:3, worker-1/after-start:2 or after-end:5:hang. Masters have after-assign, workers after-start and after-end.";

/** The fault that this process is to have, counting down to it; null if it is not to have any. */
export class PlannedFault {
  readonly point: Point;
  readonly #signal: (typeof manners)[keyof typeof manners];
  readonly #log: Log;
  #left: number;

  private constructor(point: Point, count: number, manner: keyof typeof manners, log: Log) {
    this.point = point;
    this.#left = count;
    this.#signal = manners[manner];
    this.#log = log;
  }

  /** Reads `[NAME/]POINT:COUNT[:MANNER]`. A fault for another name or another role is not this process's. @throws UsageError */
  static read(
    text: string | undefined,
    isAllowed: boolean,
    process: { role: Role; name: string },
    log: Log,
  ): PlannedFault | null {
    if (text === undefined || text === "") return null;
    if (!isAllowed) {
      log.warn("OUTLAST_FAIL is ignored: faults on purpose need --allow-faults as well", { value: text });
      return null;
    }
    const { name, point, count, manner = "kill" } = pattern.exec(text)?.groups ?? {};
    const known = [...points.master, ...points.worker].find((each) => each === point);
    if (known === undefined || !isManner(manner))
      throw new UsageError(`OUTLAST_FAIL is not a fault: "${text}".`, formHint);
    const isIts = (points[process.role] as readonly Point[]).includes(known) && (name ?? process.name) === process.name;
    if (!isIts) return null;
    log.warn("this process will fail on purpose", { value: text });
    return new PlannedFault(known, Number(count), manner, log);
  }

  /** Notes that the point was passed once more; the last time ends or stops this process. */
  pass(): void {
    this.#left -= 1;
    if (this.#left !== 0) return;
    this.#log.warn("failing on purpose", { point: this.point, signal: this.#signal });
    process.kill(process.pid, this.#signal);
  }
}

/** The store with a point behind each committed assignment: it is durable, and nobody has seen it yet. */
export function withStoreFault(store: Store, fault: PlannedFault | null): Store {
  if (fault === null) return store;
  const assigned = new Set<string>();
  const append: Store["append"] = async (entry) => {
    const outcome = await store.append(entry);
    if (outcome === "taken") return outcome;
    for (const write of entry.writes) {
      if (write.kind !== "status" || write.status.state !== "running") continue;
      const key = `${write.status.id}/${write.status.attempt}`;
      if (assigned.has(key)) continue;
      assigned.add(key);
      fault.pass();
    }
    return outcome;
  };
  return withMethod(store, "append", append);
}

/** The executor with a point behind the start or the end of each attempt; nobody has heard of that end yet. */
export function withExecutorFault(executor: Executor, fault: PlannedFault | null): Executor {
  if (fault === null) return executor;
  return withMethod(executor, "start", (assignment, session) => {
    const end: AttemptSession["end"] = (outcome) => {
      if (fault.point === "after-end") fault.pass();
      session.end(outcome);
    };
    executor.start(assignment, withMethod(session, "end", end));
    if (fault.point === "after-start") fault.pass();
  });
}

/** `target` with one method in place of its own. */
function withMethod<Target extends object, Name extends keyof Target>(
  target: Target,
  name: Name,
  method: Target[Name],
): Target {
  return new Proxy(target, {
    get(inner, key) {
      if (key === name) return method;
      const value: unknown = Reflect.get(inner, key, inner);
      return typeof value === "function" ? (value as (...given: unknown[]) => unknown).bind(inner) : value;
    },
  });
}

function isManner(text: string): text is keyof typeof manners {
  return Object.hasOwn(manners, text);
}
