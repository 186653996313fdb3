/** Event streams that carry only what a client asked for: the changes of some tasks, of a family, or to some states. */
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskState } from "../../model/task.ts";
import { encodeWrites } from "./changeEvents.ts";
import type { EventStream } from "./eventStream.ts";
import { idOf, type TaskWatch, type TaskWrite } from "./taskWatch.ts";

export interface EventFilter {
  /** Null for all tasks. */
  readonly tasks: ReadonlySet<TaskId> | null;
  /** Null for all states. */
  readonly states: ReadonlySet<TaskState> | null;
  /** The task at the top of a family; null for all tasks. */
  readonly root: TaskId | null;
}

/** Sends the changes that match, each once, in order. */
class FilteredTeller {
  readonly #stream: EventStream;
  readonly #filter: EventFilter;
  #seq: number;

  constructor(stream: EventStream, filter: EventFilter, afterSeq: number) {
    this.#stream = stream;
    this.#filter = filter;
    this.#seq = afterSeq;
  }

  /** The last journal entry up to which everything that matches has been sent. */
  get seq(): number {
    return this.#seq;
  }

  tell(batch: ChangeBatch, writes: readonly TaskWrite[]): unknown {
    if (batch.seq <= this.#seq) return null;
    this.#seq = batch.seq;
    const wanted = writes.filter((write) => this.#isWanted(write));
    if (wanted.length > 0) this.#stream.send(encodeWrites(batch, wanted));
    return this.#stream.isBusy ? this.#stream.drained() : null;
  }

  #isWanted(write: TaskWrite): boolean {
    const { tasks, states, root } = this.#filter;
    if (tasks !== null && !tasks.has(idOf(write))) return false;
    if (root !== null && rootOf(idOf(write)) !== root) return false;
    return states === null || write.kind === "forget-task" || states.has(write.status.state);
  }
}

/**
 * Follows what matches the filter after `afterSeq`. A quiet stream is pinged with its journal position, so that a client which
 * reconnects need not read again what concerns others.
 * @throws OutlastError `not-found` if the journal no longer reaches back to `afterSeq`
 */
export async function followFiltered(
  { master, watch }: { readonly master: MasterApi; readonly watch: TaskWatch },
  stream: EventStream,
  filter: EventFilter,
  afterSeq: number,
): Promise<Subscription> {
  const teller = new FilteredTeller(stream, filter, afterSeq);
  const follow = filter.tasks === null ? followAll : followTasks;
  const subscription = await follow({ master, watch }, stream, filter, teller);
  // What a reader of some queues is to be told may still be looked up: nothing of that counts as told.
  const toldTo = filter.tasks === null ? () => teller.seq : () => Math.max(teller.seq, watch.seq);
  stream.pingText = () => `id: ${toldTo()}\n\n`;
  return subscription;
}

function followAll(
  { master }: { readonly master: MasterApi },
  stream: EventStream,
  _filter: EventFilter,
  teller: FilteredTeller,
): Promise<Subscription> {
  return master.changes(teller.seq, replayer(stream, teller), () => stream.end());
}

async function followTasks(
  { master, watch }: { readonly master: MasterApi; readonly watch: TaskWatch },
  stream: EventStream,
  { tasks }: EventFilter,
  teller: FilteredTeller,
): Promise<Subscription> {
  /** What is committed while the past is replayed; null afterwards. */
  let waiting: { batch: ChangeBatch; writes: readonly TaskWrite[] }[] | null = [];
  const stop = await watch.watch(tasks ?? new Set(), (news) => {
    if (news.kind === "gap") stream.end();
    if (news.kind !== "changes") return;
    if (waiting === null) teller.tell(news.batch, news.writes);
    else waiting.push(news);
  });
  try {
    if (teller.seq < master.status().seq) {
      // It resolves when the past has been replayed. From then on the watch reports every change.
      // Where a part of it could not be looked up, the reader comes again.
      (await master.changes(teller.seq, replayer(stream, teller), () => stream.end())).close();
    }
  } catch (error) {
    stop();
    throw error;
  }
  for (const { batch, writes } of waiting) teller.tell(batch, writes);
  waiting = null;
  return { close: stop };
}

/** The replay ends when the client has disconnected. */
function replayer(stream: EventStream, teller: FilteredTeller): (batch: ChangeBatch) => unknown {
  return (batch) => {
    if (stream.isClosed) throw new OutlastError("unavailable", "The stream is closed.");
    return teller.tell(batch, batch.writes.filter(isTaskWrite));
  };
}

function isTaskWrite(write: { readonly kind: string }): write is TaskWrite {
  return write.kind === "status" || write.kind === "forget-task";
}
