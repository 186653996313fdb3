/** Knows who leads, by asking every master directly, again and again. Links that are hurt do not hide it. */
import { parseObject } from "../cluster/attemptLines.ts";

/** A stopped process takes connections and never answers. */
const answerMsMax = 500;

export interface MasterSight {
  readonly role: string;
  readonly epoch: number;
  readonly seq: number;
  /** How often it found its memory unlike the leader's. */
  readonly drifts: number;
  /** Tasks by state, of a leader. */
  readonly tasks: { readonly [state: string]: number };
}

export class LeaderWatch {
  readonly #addresses: ReadonlyMap<string, string>;
  readonly #sights = new Map<string, MasterSight>();
  readonly #everyMs: number;
  readonly #token: string;
  #isStopped = false;
  /** The most that any master ever told of its drifts. */
  driftsMax = 0;

  /** @param addresses of the masters, by name */
  constructor(addresses: ReadonlyMap<string, string>, token: string, everyMs: number) {
    this.#token = token;
    this.#addresses = addresses;
    this.#everyMs = everyMs;
  }

  start(): void {
    for (const [master, address] of this.#addresses) void this.#follow(master, address);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** The master that leads with the highest epoch, as far as can be seen. */
  get leader(): { readonly master: string; readonly epoch: number; readonly sight: MasterSight } | null {
    let found: { master: string; epoch: number; sight: MasterSight } | null = null;
    for (const [master, sight] of this.#sights) {
      if (sight.role === "leader" && (found === null || sight.epoch > found.epoch))
        found = { master, epoch: sight.epoch, sight };
    }
    return found;
  }

  role(master: string): string | null {
    return this.#sights.get(master)?.role ?? null;
  }

  /** It was just killed: what it said last no longer holds. */
  forget(master: string): void {
    this.#sights.delete(master);
  }

  async #follow(master: string, address: string): Promise<void> {
    while (!this.#isStopped) {
      const sight = await look(address, this.#token);
      // A stopped leader still is one, until another has a higher epoch.
      if (sight === "refused") this.#sights.delete(master);
      else if (sight !== null) {
        this.#sights.set(master, sight);
        this.driftsMax = Math.max(this.driftsMax, sight.drifts);
      }
      await new Promise((resolve) => setTimeout(resolve, this.#everyMs));
    }
  }
}

/** Null where nothing can be said. */
async function look(address: string, token: string): Promise<MasterSight | "refused" | null> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${address}/v1/status`, { headers, signal: AbortSignal.timeout(answerMsMax) });
    const body = parseObject(await response.text());
    if (!response.ok || body === null) return null;
    const stats = (body["stats"] ?? {}) as { readonly drifts?: number; readonly tasks?: MasterSight["tasks"] };
    return {
      role: String(body["role"]),
      epoch: Number(body["epoch"]),
      seq: Number(body["seq"]),
      drifts: stats.drifts ?? 0,
      tasks: stats.tasks ?? {},
    };
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause;
    return cause?.code === "ECONNREFUSED" || cause?.code === "ECONNRESET" ? "refused" : null;
  }
}
