/** Honest clients whose tasks an honest worker runs all the while: nothing that others send may ever touch them. */
import type { Outlast } from "../../sdk/client.ts";

export interface HonestOptions {
  readonly client: Outlast;
  /** A queue that nobody else knows of. */
  readonly queue: string;
  readonly inFlight: number;
  /** Told of each task that is about to be there, so that others may meddle with it. */
  readonly onTask: (id: string) => void;
}

/** What the names of honest tasks begin with, and no others. */
export const honestPrefix = "honest";

const command = 'printf "%s" "begin $0"; sleep 0.3; printf "%s" " end $0"';

const lateMs = 5_000;

export class HonestWork {
  readonly #options: HonestOptions;
  readonly #offences: string[] = [];
  readonly #stopping = new AbortController();
  #loops: Promise<void>[] = [];
  succeeded = 0;
  /** Logs that were not whole yet when their followers were told that they had ended. */
  late = 0;

  constructor(options: HonestOptions) {
    this.#options = options;
  }

  start(): void {
    const { inFlight } = this.#options;
    this.#loops = Array.from({ length: inFlight }, (_, index) => this.#loop(index));
  }

  /** Lets what is under way end. @returns what went wrong, as sentences */
  async stop(): Promise<readonly string[]> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
    return this.#offences;
  }

  async #loop(index: number): Promise<void> {
    const { onTask } = this.#options;
    for (let count = 0; !this.#stopping.signal.aborted; count++) {
      const id = `${honestPrefix}-${index}-${count}`;
      onTask(id);
      try {
        const offence = await this.#one(id);
        if (offence === null) this.succeeded += 1;
        else this.#offences.push(offence);
      } catch (error) {
        this.#offences.push(`Task ${id} could not be carried out: ${String(error)}`);
        // A master that is gone would be asked a thousand times a second.
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }

  async #one(id: string): Promise<string | null> {
    const { client, queue } = this.#options;
    await client.submit({ id, queue, kind: "exec", input: { command: ["sh", "-c", command, id] } });
    const task = await client.wait(id);
    const { state, attempt, kills, failures, error } = task;
    if (state !== "success" || attempt !== 1 || kills !== 0 || failures !== 0) {
      const why = error === undefined ? "" : `: ${error.code}, ${error.message}`;
      return `Task ${id} is ${state} after ${attempt} attempts, ${kills} kills and ${failures} failures${why}`;
    }
    const wanted = `begin ${id} end ${id}`;
    let log = await this.#readLog(id);
    if (log !== wanted) {
      // Who follows a log is told its end a bounded time after the task's, whether or not all of it has come by then.
      this.late += 1;
      await new Promise((resolve) => setTimeout(resolve, lateMs));
      log = await this.#readLog(id);
    }
    return log === wanted
      ? null
      : `The log of task ${id} is ${JSON.stringify(log.slice(0, 200))}, not ${JSON.stringify(wanted)}.`;
  }

  async #readLog(id: string): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const item of this.#options.client.follow(id)) {
      if (item.kind === "log") text += decoder.decode(item.bytes, { stream: true });
    }
    return text;
  }
}
