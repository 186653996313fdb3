/** Reads what the masters say happened, through the public API: live while a run goes on, and the whole journal when it is over. */
import { type TaskDocument, type TaskState, taskStates } from "../../model/task.ts";
import type { Outlast } from "../../sdk/client.ts";
import type { OutlastEvent } from "../../sdk/events.ts";
import type { JournalChange } from "./evidence.ts";

/** The stream of changes never ends by itself: it is at its end when nothing more comes for so long. */
const quietMs = 1000;
/** A busy machine may take its time to send the first one. */
const firstMsMax = 20_000;

/** The last state that any master told of each task, kept up to date until the signal is aborted. */
export class LiveStates {
  readonly states = new Map<string, TaskState>();

  /** Resolves when the signal is aborted. The client must go on trying however long no master is there. */
  async follow(client: Outlast, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of client.events({ after: 0, signal })) {
        if (event.kind === "task") this.states.set(event.task.id, event.task.state);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  count(state: TaskState): number {
    let count = 0;
    for (const other of this.states.values()) if (other === state) count++;
    return count;
  }
}

export async function readDocuments(client: Outlast): Promise<TaskDocument[]> {
  const documents: TaskDocument[] = [];
  for await (const document of client.iterate({ order: "oldest" })) documents.push(document);
  return documents;
}

/** The journal from its first entry to where it stands now, on a cluster that has come to rest. @throws Error if its beginning is gone */
export async function readJournal(client: Outlast): Promise<JournalChange[]> {
  const ending = new AbortController();
  const changes: JournalChange[] = [];
  let epoch = 0;
  let timer = setTimeout(() => ending.abort(), firstMsMax);
  try {
    for await (const event of client.events({ after: 0, signal: ending.signal })) {
      clearTimeout(timer);
      timer = setTimeout(() => ending.abort(), quietMs);
      if (event.kind === "reset") throw new Error("The journal no longer reaches back to its beginning.");
      if (event.kind === "leader") epoch = event.epoch;
      if (event.kind === "task") changes.push(toChange(event, epoch));
    }
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  return changes;
}

function toChange({ seq, at, task }: OutlastEvent & { kind: "task" }, epoch: number): JournalChange {
  // What comes over the wire is evidence, not yet truth: a state that does not exist must not pass as one.
  if (!taskStates.includes(task.state))
    throw new Error(`The journal knows a state ${JSON.stringify(task.state)} (seq ${seq}).`);
  const { id, state, attempt, kills, host, boot } = task;
  return { seq, epoch, at, task: id, state, attempt, kills, host: host ?? null, boot: boot ?? null };
}
