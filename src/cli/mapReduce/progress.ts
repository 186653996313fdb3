/** How far a job is, from the changes of its children. */
import { counted } from "../../model/counted.ts";
import type { Json } from "../../model/json.ts";
import type { Outlast } from "../../sdk/client.ts";
import { isFilterUnknown, type TaskChange } from "../../sdk/events.ts";
import { megabytes } from "./report.ts";

async function* eventsOf(client: Outlast, family: string, signal: AbortSignal) {
  const options = { states: ["success", "killed"], signal } as const;
  try {
    yield* client.events({ ...options, family });
  } catch (error) {
    if (!isFilterUnknown(error)) throw error;
    yield* client.events(options);
  }
}

export class JobProgress {
  readonly #job: string;
  /** By number: a backup succeeds as well as the task that gets its result. */
  readonly #maps = new Set<Json | undefined>();
  readonly #reduces = new Set<Json | undefined>();
  #bytes = 0;
  #kills = 0;

  constructor(job: string) {
    this.#job = job;
  }

  /** Attempts of the job's tasks that were lost with their workers. */
  get kills(): number {
    return this.#kills;
  }

  /** Follows the job until `signal` is aborted. Never rejects. */
  async follow(client: Outlast, signal: AbortSignal, onChange: (text: string) => void): Promise<void> {
    try {
      for await (const event of eventsOf(client, this.#job, signal)) {
        if (event.kind !== "task" || !this.#isOurs(event.task)) continue;
        const { id, state } = event.task;
        if (state === "killed") this.#kills += 1;
        // Events come without outputs.
        else if (id !== this.#job) this.#count((await client.get(id, { signal })).output ?? null);
        onChange(this.text());
      }
    } catch {
      // Progress is for people; the end of the job is waited for elsewhere.
    }
  }

  text(): string {
    return `${counted(this.#maps.size, "map")} done (${megabytes(this.#bytes)}), ${counted(this.#reduces.size, "reduce")} done`;
  }

  #isOurs({ id }: TaskChange): boolean {
    return id === this.#job || id.startsWith(`${this.#job}~`);
  }

  #count(output: Json): void {
    if (typeof output !== "object" || output === null || Array.isArray(output)) return;
    if ("map" in output && !this.#maps.has(output["map"])) {
      this.#maps.add(output["map"]);
      this.#bytes += typeof output["bytes"] === "number" ? output["bytes"] : 0;
    }
    const part = "part" in output ? output["part"] : null;
    if (typeof part === "object" && part !== null && !Array.isArray(part)) this.#reduces.add(part["partition"]);
  }
}
