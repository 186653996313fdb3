/** The committed changes that a reader of some queues may see. */

import type { Write } from "../../model/entry.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { coversQueue, principalName } from "../../model/principals/principal.ts";
import type { Subscription } from "../streams/changes.ts";
import type { ChangeBatch, MasterApi } from "./masterApi.ts";

/** True if the queue is one of the reader's; a null queue is that of a task that is gone. */
export function isSeen(patterns: readonly string[] | undefined, queue: string | null): boolean {
  return queue !== null && coversQueue(patterns, queue);
}

/**
 * As `changes` of the master, in order and once, without the writes that lie outside of the reader's queues. A batch of which
 * nothing is left is told all the same: its seq is the place to resume at. A reader that falls too far behind while queues are
 * looked up gets `onGap`.
 * @throws OutlastError `not-found` also where the reader has been changed since: what he sees is not what he saw
 */
export async function followVisible(
  master: MasterApi,
  { name, queues: patterns }: { readonly name: string; readonly queues: readonly string[] },
  afterSeq: number | null,
  listener: (batch: ChangeBatch) => unknown,
  onGap: (() => void) | undefined,
): Promise<Subscription> {
  /** Batches that wait for a look-up; null while there are none. */
  let waiting: Promise<unknown> | null = null;
  let waitingCount = 0;
  let isClosed = false;
  let isPast = true;
  const take = (batch: ChangeBatch): unknown => {
    if (isPast && batch.writes.some((write) => isUser(write, name))) throw readerChanged();
    const visible = visiblePart(master, patterns, batch);
    if (waiting === null && !(visible instanceof Promise)) return listener(visible);
    waitingCount += 1;
    if (waitingCount > limits.visibleBatchesMax) {
      isClosed = true;
      onGap?.();
      return null;
    }
    const turn = (waiting ?? Promise.resolve()).then(async () => {
      const part = await visible;
      if (!isClosed) await listener(part);
    });
    const done = turn
      .catch(() => {
        isClosed = true;
        onGap?.();
      })
      .then(() => {
        waitingCount -= 1;
        if (waitingCount === 0) waiting = null;
      });
    waiting = done;
    return done;
  };
  const subscription = await master.changes(afterSeq, (batch) => (isClosed ? null : take(batch)), onGap);
  isPast = false;
  return {
    close: () => {
      isClosed = true;
      subscription.close();
    },
  };
}

function isUser(write: Write, name: string): boolean {
  return (
    write.kind === "record" && write.collection === "users" && principalName({ kind: "user", name: write.id }) === name
  );
}

/** Only of the past: a stream that is open ends with the change. */
function readerChanged(): OutlastError {
  return new OutlastError("not-found", "Your role or your queues have changed since.", {
    hint: "Read the current state and follow the events from there.",
  });
}

/** A promise only where the queue of a task has to be looked up. */
function visiblePart(
  master: MasterApi,
  patterns: readonly string[],
  batch: ChangeBatch,
): ChangeBatch | Promise<ChangeBatch> {
  const specs = new Map<TaskId, string>();
  for (const write of batch.writes) if (write.kind === "spec") specs.set(write.spec.id, write.spec.queue);
  const parts = batch.writes.map((write) => visibleWrite(master, patterns, write, specs));
  const isPending = parts.some((part) => part instanceof Promise);
  const toBatch = (writes: readonly (Write | null)[]): ChangeBatch => ({
    ...batch,
    writes: writes.filter((write) => write !== null),
  });
  return isPending ? Promise.all(parts.map(async (part) => part)).then(toBatch) : toBatch(parts as (Write | null)[]);
}

function visibleWrite(
  master: MasterApi,
  patterns: readonly string[],
  write: Write,
  specs: ReadonlyMap<TaskId, string>,
): Write | null | Promise<Write | null> {
  switch (write.kind) {
    case "spec":
      return coversQueue(patterns, write.spec.queue) ? write : null;
    case "status": {
      const queue = specs.get(write.status.id) ?? master.queueOf(write.status.id);
      if (queue instanceof Promise) return queue.then((found) => (isSeen(patterns, found) ? write : null));
      return isSeen(patterns, queue) ? write : null;
    }
    case "forget-task":
      return coversQueue(patterns, write.queue) ? write : null;
    case "reopen-task":
      return coversQueue(patterns, write.head.queue) ? write : null;
    case "record":
      return visibleRecord(patterns, write);
    case "marker":
    case "digest":
      return write;
    default:
      return write satisfies never;
  }
}

function visibleRecord(patterns: readonly string[], write: Extract<Write, { kind: "record" }>): Write | null {
  if (write.collection === "queues") return coversQueue(patterns, write.id) ? write : null;
  // Of a worker that is forgotten nobody knows any more whom it served.
  if (write.collection !== "workers" || write.value === null) return null;
  const queues = write.value.queues.filter((queue) => coversQueue(patterns, queue));
  return queues.length === 0 ? null : { ...write, value: { ...write.value, queues } };
}
