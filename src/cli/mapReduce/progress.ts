/** How far a job is, from the changes of its children. */
import type { Outlast } from "../../sdk/client.ts";
import type { TaskChange } from "../../sdk/events.ts";

export class JobProgress {
  readonly #job: string;
  readonly #maps = new Set<string>();
  readonly #reduces = new Set<string>();
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
      for await (const event of client.events({ states: ["success", "killed"], signal })) {
        if (event.kind !== "task" || !this.#takes(event.task)) continue;
        onChange(this.text());
      }
    } catch {
      // Progress is for people; the end of the job is waited for elsewhere.
    }
  }

  text(): string {
    return `${this.#maps.size} maps done (${(this.#bytes / 1e6).toFixed(0)} MB), ${this.#reduces.size} reduces done`;
  }

  #takes({ id, state, output }: TaskChange): boolean {
    if (!id.startsWith(`${this.#job}~`) && id !== this.#job) return false;
    if (state === "killed") {
      this.#kills += 1;
      return true;
    }
    if (typeof output !== "object" || output === null || Array.isArray(output)) return false;
    if ("map" in output && !this.#maps.has(id)) {
      this.#maps.add(id);
      this.#bytes += typeof output["bytes"] === "number" ? output["bytes"] : 0;
      return true;
    }
    if ("part" in output) this.#reduces.add(id);
    return "part" in output;
  }
}
