/** What can be done to a cluster: the kinds of faults, whom each can hit, how often it falls, and how to say so. */
import { formatBytes, formatDuration } from "../../cli/duration.ts";

/**
 * kill      SIGKILL; started again after a while, sometimes at once
 * stop      SIGTERM, then started again
 * pause     SIGSTOP, then SIGCONT
 * unplug    its network plug is pulled: whatever it sends, and whatever is sent to it, vanishes
 * blackout  SIGKILL to every master at once
 * task      SIGKILL to the process of a task, behind its worker's back
 * cut       connections are reset, new ones refused
 * mute      nothing that it sends arrives; what is sent to it does
 * deaf      nothing that is sent to it arrives; what it sends does
 * slow      every piece of data is held for a while, in both directions
 * drip      a few bytes a second, in both directions
 * disk      not a byte of room is left for the store
 * server    SIGKILL to the server of the store, started again after a while
 */
export const faultKinds = [
  "kill",
  "stop",
  "pause",
  "unplug",
  "blackout",
  "task",
  "cut",
  "mute",
  "deaf",
  "slow",
  "drip",
  "disk",
  "server",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** How often each kind falls, beside the others. */
export type Weights = { readonly [Kind in FaultKind]: number };

export const defaultWeights: Weights = {
  kill: 10,
  stop: 3,
  pause: 4,
  unplug: 2,
  blackout: 0.5,
  task: 4,
  cut: 3,
  mute: 2,
  deaf: 2,
  slow: 2,
  drip: 1,
  disk: 0.5,
  server: 1.5,
};

/** One fault, as the plan has it. Who leads is only known when it falls, so it may be aimed at `leader` or `standby`. */
export interface Fault {
  /** 1, 2, 3 … in the order of the plan. */
  readonly number: number;
  /** Since the first moment of faults. */
  readonly atMs: number;
  readonly kind: FaultKind;
  /** `leader`, `standby`, `masters`, `worker-3`, `client-1`, `store`. */
  readonly at: string;
  /** For a link: the other end of it, `leader`, `standby` or `masters`. */
  readonly to: string | null;
  /** How long it lasts; for a kill or a stop, how long the process stays away. */
  readonly forMs: number;
  /** `slow`: ms for each piece; `drip`: bytes a second. */
  readonly amount: number | null;
}

/** A fault as it was injected, or not. All instants in ms since 1970. */
export interface Strike extends Fault {
  readonly startedAt: number;
  /** When its effect was over; null while it lasts. */
  readonly endedAt: number | null;
  /** The processes that it hit; empty if there was nothing to hit at that moment. */
  readonly hit: readonly string[];
}

export function isLinkFault(kind: FaultKind): boolean {
  return kind === "cut" || kind === "mute" || kind === "deaf" || kind === "slow" || kind === "drip";
}

/**
 * `kill,pause` for these alone, as often as by default; `kill=5,pause=1` for weights of one's own.
 * @throws Error with a sentence for the user
 */
export function parseWeights(text: string): Weights {
  const weights: { [Kind in FaultKind]: number } = { ...defaultWeights };
  for (const kind of faultKinds) weights[kind] = 0;
  for (const item of text.split(",").map((part) => part.trim())) {
    const [name = "", amount] = item.split("=");
    const kind = faultKinds.find((known) => known === name);
    if (kind === undefined) throw new Error(`"${name}" is no fault; there are ${faultKinds.join(", ")}.`);
    const weight = amount === undefined ? defaultWeights[kind] : Number(amount);
    if (!(weight >= 0 && weight <= 1000)) throw new Error(`The weight of ${kind} is a number from 0 to 1000.`);
    weights[kind] = weight;
  }
  if (faultKinds.every((kind) => weights[kind] === 0))
    throw new Error("At least one kind of fault must have a weight.");
  return weights;
}

/** A fault in words: `SIGKILL worker-2, back after 1.2s`. */
export function faultText(fault: Fault, hit: readonly string[]): string {
  const whom = hit.length === 0 ? `${fault.at} (nobody was there)` : hit.join(", ");
  const long = formatDuration(fault.forMs);
  const link = `${fault.at} – ${fault.to ?? "masters"}`;
  switch (fault.kind) {
    case "kill":
      return `SIGKILL ${whom}, ${fault.forMs === 0 ? "and up again at once" : `back after ${long}`}`;
    case "stop":
      return `SIGTERM ${whom}, back ${long} after its end`;
    case "pause":
      return `SIGSTOP ${whom} for ${long}`;
    case "unplug":
      return `${whom} unplugged for ${long}`;
    case "blackout":
      return `SIGKILL ${whom}, all masters at once, back after ${long}`;
    case "task":
      return hit[0] === undefined ? "SIGKILL a task's process (none was there)" : `SIGKILL the process of ${hit[0]}`;
    case "cut":
      return `${link} cut for ${long}`;
    case "mute":
      return `${link}: nothing that ${fault.at} sends arrives for ${long}`;
    case "deaf":
      return `${link}: nothing that is sent to ${fault.at} arrives for ${long}`;
    case "slow":
      return `${link} slowed by ${formatDuration(fault.amount ?? 0)} a piece for ${long}`;
    case "drip":
      return `${link} drips, ${formatBytes(fault.amount ?? 0)} a second, for ${long}`;
    case "disk":
      return `The store's disk is full for ${long}`;
    case "server":
      return `SIGKILL the store's server, back after ${long}`;
    default:
      return fault.kind satisfies never;
  }
}
