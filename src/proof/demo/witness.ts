/** Reads what the masters say happened, through the public API: live while a run goes on, and the whole journal when it is over. */
import { type TaskDocument, type TaskState, taskStates } from "../../model/task.ts";
import type { Outlast } from "../../sdk/client.ts";
import type { OutlastEvent } from "../../sdk/events.ts";
import type { JournalChange, Marker } from "./evidence.ts";

/** The stream of changes never ends by itself: it is at its end when nothing more comes for so long. */
const quietMs = 1000;
/** A busy machine may take its time to send the first one. */
const firstMsMax = 20_000;

/** Who leads, as far as the masters have told. */
export interface LiveLeader extends Marker {
  /** When the first new attempt of this epoch was assigned; null before that. */
  readonly assignedAt: number | null;
}

/** The last state that any master told of each task, and who leads, kept up to date until the signal is aborted. */
export class LiveStates {
  readonly states = new Map<string, TaskState>();
  readonly #attempts = new Map<string, number>();
  #leader: LiveLeader | null = null;

  /** Resolves when the signal is aborted. The client must go on trying however long no master is there. */
  async follow(client: Outlast, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of client.events({ after: 0, signal })) this.#note(event);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  get leader(): LiveLeader | null {
    return this.#leader;
  }

  count(state: TaskState): number {
    let count = 0;
    for (const other of this.states.values()) if (other === state) count++;
    return count;
  }

  #note(event: OutlastEvent): void {
    if (event.kind === "leader") this.#leader = { ...toMarker(event), assignedAt: null };
    if (event.kind !== "task") return;
    const { id, state, attempt } = event.task;
    this.states.set(id, state);
    const isNewAttempt = state === "running" && attempt > (this.#attempts.get(id) ?? 0);
    this.#attempts.set(id, attempt);
    if (isNewAttempt && this.#leader?.assignedAt === null) this.#leader = { ...this.#leader, assignedAt: event.at };
  }
}

export async function readDocuments(client: Outlast): Promise<TaskDocument[]> {
  const documents: TaskDocument[] = [];
  for await (const document of client.iterate({ order: "oldest" })) documents.push(document);
  return documents;
}

/** What a journal tells of tasks and of leaders, each in its order. */
export interface Journal {
  readonly changes: readonly JournalChange[];
  readonly markers: readonly Marker[];
}

/** The journal from its first entry to where it stands now, on a cluster that has come to rest. @throws Error if its beginning is gone */
export async function readJournal(client: Outlast): Promise<Journal> {
  const ending = new AbortController();
  const changes: JournalChange[] = [];
  const markers: Marker[] = [];
  let epoch = 0;
  let timer = setTimeout(() => ending.abort(), firstMsMax);
  try {
    for await (const event of client.events({ after: 0, signal: ending.signal })) {
      clearTimeout(timer);
      timer = setTimeout(() => ending.abort(), quietMs);
      if (event.kind === "reset") throw new Error("The journal no longer reaches back to its beginning.");
      if (event.kind === "leader") {
        epoch = event.epoch;
        markers.push(toMarker(event));
      }
      if (event.kind === "task") changes.push(toChange(event, epoch));
    }
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  return { changes, markers };
}

function toMarker({ seq, epoch, at, address }: OutlastEvent & { kind: "leader" }): Marker {
  return { seq, epoch, at, address };
}

function toChange({ seq, at, task }: OutlastEvent & { kind: "task" }, epoch: number): JournalChange {
  // What comes over the wire is evidence, not yet truth: a state that does not exist must not pass as one.
  if (!taskStates.includes(task.state))
    throw new Error(`The journal knows a state ${JSON.stringify(task.state)} (seq ${seq}).`);
  const { id, state, attempt, failures, kills, host, boot, output } = task;
  return {
    ...{ seq, epoch, at, task: id, state, attempt, failures, kills },
    ...(output === undefined ? {} : { output }),
    ...{ host: host ?? null, boot: boot ?? null },
  };
}
