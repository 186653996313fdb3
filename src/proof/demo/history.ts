/** Converts the evidence of a run into the history that the simulator's checkers judge. */
import type { Write } from "../../model/entry.ts";
import type { BootId, Nonce, TaskId, WorkerId } from "../../model/ids.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import type { JournalEntry } from "../chaos/evidence.ts";
import { toHistory } from "../chaos/history.ts";
import type { ClientLine } from "../chaos/ledger.ts";
import type { History } from "../checkers/ledger.ts";
import type { AskedTask, Evidence, JournalChange } from "./evidence.ts";

export function historyOf(evidence: Evidence): History {
  const { ledger, lives, masters, documents } = evidence;
  return toHistory({
    ...{ startedAt: 0, clients: evidence.asked.flatMap(acknowledgement), facts: ledger, lives, masters, documents },
    entries: entriesOf(evidence),
    // A run kills processes and does nothing else to them, so no worker ever runs on unheard.
    strikes: [],
    ...{ outboxes: new Map(), drifts: 0, capacity: 0 },
  });
}

function acknowledgement({ id, acknowledgedAt }: AskedTask, index: number): ClientLine[] {
  if (acknowledgedAt === null) return [];
  return [{ at: acknowledgedAt, session: "run", kind: "submit-ok", call: index, ids: [id] }];
}

/** The journal as far as the API shows it: its markers and the changes of tasks, with what the client had asked for. */
function entriesOf({ journal, markers, asked }: Evidence): JournalEntry[] {
  const leaders = new Map(markers.map(({ epoch, address }) => [epoch, address]));
  const entries = new Map<number, JournalEntry & { writes: Write[] }>();
  const entryOf = ({ seq, epoch, at }: { readonly seq: number; readonly epoch: number; readonly at: number }) => {
    let entry = entries.get(seq);
    if (entry === undefined) {
      const nonce = (leaders.get(epoch) ?? "") as Nonce;
      entry = { seq, epoch, at, nonce, format: 1, previousCrc: 0, crc: 0, writes: [] };
      entries.set(seq, entry);
    }
    return entry;
  };
  for (const marker of markers)
    entryOf(marker).writes.push({ kind: "marker", address: marker.address, collections: {} });
  const specs = new Map(asked.map((task) => [task.id, toSpec(task)]));
  for (const change of journal) {
    const { writes } = entryOf(change);
    const spec = specs.get(change.task);
    if (spec !== undefined) writes.push({ kind: "spec", spec });
    specs.delete(change.task);
    writes.push({ kind: "status", status: toStatus(change) });
  }
  return [...entries.values()].sort((a, b) => a.seq - b.seq);
}

/** Only what the checkers look at. */
function toSpec({ id, sleepMs }: AskedTask): TaskSpec {
  return { id: id as TaskId, kind: "sleep", input: { seconds: sleepMs / 1000 } } as unknown as TaskSpec;
}

function toStatus({ task, state, attempt, failures, kills, at, host, boot, output }: JournalChange): TaskStatus {
  return {
    ...{ id: task as TaskId, state, attempt, failures, kills, changedAt: at },
    ...(host === null ? {} : { host: host as WorkerId }),
    ...(boot === null ? {} : { boot: boot as BootId }),
    ...(output === undefined ? {} : { output }),
  };
}
