/**
 * Ids may be used again: once a finished task is forgotten, a client may submit another one under its id, and attempts count
 * from 1 again. Checkers look at one task per name, so each later task of an id gets a name of its own here: `id~2`, `id~3`.
 */
import { ownerOf } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import type { FinalState, History, LandedEntry, LedgerEvent } from "./ledger.ts";
import { once, textOfWrites } from "./reading.ts";

interface Life {
  readonly name: TaskId;
  readonly spec: TaskSpec;
  /** The place of the entry that created it, in the order of the ledger. */
  readonly order: number;
  readonly statuses: { readonly status: TaskStatus; readonly order: number }[];
  isForgotten: boolean;
  /** A master has said that it created this one. */
  isClaimed: boolean;
}

/** The id under which clients and masters know a task. */
export function idOf(name: TaskId): TaskId {
  return name.replace(/~\d+$/, "") as TaskId;
}

/** The same history in which every name belongs to one task. Where no id was used again, it is returned as it is. */
export const nameLives = once((history): History => {
  const lives = new Lives();
  const entries = history.entries.map((entry) => lives.read(entry));
  if (!lives.areIdsUsedAgain) return history;
  return {
    ...history,
    entries,
    events: history.events.map((event) => lives.nameEvent(event)),
    final: nameFinal(history.final, lives),
  };
});

class Lives {
  readonly #byId = new Map<TaskId, Life[]>();
  areIdsUsedAgain = false;

  /** Takes the next entry of the journal. @returns it with the names of lives in place of ids */
  read(entry: LandedEntry): LandedEntry {
    const writes = entry.writes.map((write) => this.#readWrite(write, entry.order));
    const isRenamed = writes.some((write, index) => write !== entry.writes[index]);
    return isRenamed ? { ...entry, writes, text: textOfWrites(entry.writes) } : entry;
  }

  #readWrite(write: Write, order: number): Write {
    switch (write.kind) {
      case "spec": {
        const name = this.#begin(write.spec, order);
        return name === write.spec.id ? write : { ...write, spec: { ...write.spec, id: name } };
      }
      case "status": {
        const life = this.#byId.get(write.status.id)?.at(-1);
        if (life === undefined) return write;
        life.statuses.push({ status: write.status, order });
        const { id, backup } = write.status;
        const backupName = backup && this.lastName(backup.id);
        if (life.name === id && backupName === backup?.id) return write;
        const named = backup && backupName && { backup: { ...backup, id: backupName } };
        return { ...write, status: { ...write.status, id: life.name, ...named } };
      }
      case "forget-task": {
        const life = this.#byId.get(write.id)?.at(-1);
        if (life === undefined) return write;
        life.isForgotten = true;
        return life.name === write.id ? write : { ...write, id: life.name };
      }
      case "reopen-task": {
        const name = this.#byId.get(write.head.id)?.at(-1)?.name;
        return name === undefined || name === write.head.id ? write : { ...write, head: { ...write.head, id: name } };
      }
      case "record": {
        const owner = ownerOf(write.id);
        const life = owner === null ? undefined : this.#byId.get(owner.task as TaskId)?.at(-1);
        if (owner === null || life === undefined || life.name === owner.task) return write;
        return { ...write, id: `${life.name}/${owner.key}` };
      }
      default:
        return write;
    }
  }

  /** A task that is created while one of its id is still there is that one, created twice: its checker is to see that. */
  #begin(spec: TaskSpec, order: number): TaskId {
    const lives = this.#byId.get(spec.id) ?? [];
    this.#byId.set(spec.id, lives);
    const last = lives.at(-1);
    if (last !== undefined && !last.isForgotten) return last.name;
    const name = lives.length === 0 ? spec.id : (`${spec.id}~${lives.length + 1}` as TaskId);
    if (lives.length > 0) this.areIdsUsedAgain = true;
    lives.push({ name, spec, order, statuses: [], isForgotten: false, isClaimed: false });
    return name;
  }

  nameEvent(event: LedgerEvent): LedgerEvent {
    switch (event.kind) {
      case "acked-submit":
        return {
          ...event,
          ids: event.ids.map((id, index) => this.#nameAcked(id, event.areNew?.[index] === true, event.order)),
        };
      case "retry-asked":
      case "acked-retry":
        return { ...event, task: this.lastName(event.task, event.order) };
      case "submit-ok":
        return { ...event, ids: event.ids.map((id) => this.lastName(id, event.order)) };
      case "read":
        return { ...event, task: this.#nameCreated(event.task, event.createdAt, event.order) };
      case "acked-cancel":
        return { ...event, task: this.#nameCancelled(event.task, event.order) };
      case "cancel-ok":
      case "cancel-fail":
      case "cancel-info":
        return { ...event, task: this.lastName(event.task, event.order) };
      case "sent-assign":
      case "received-assign":
      case "exec-start":
      case "exec-end":
      case "sent-verdict":
      case "sent-abort":
        return { ...event, task: this.#nameIssued(event) };
      case "log-forgotten":
        // It is noted while the entry that forgets the task goes in.
        return { ...event, task: this.lastName(event.task, event.order) };
      default:
        return event;
    }
  }

  /** The last task of this id that was created before something of this `order`; the id itself if there is none. */
  lastName(id: TaskId, order = Number.POSITIVE_INFINITY): TaskId {
    return this.#before(id, order).at(-1)?.name ?? id;
  }

  #before(id: TaskId, order: number): readonly Life[] {
    return (this.#byId.get(id) ?? []).filter((life) => life.order < order);
  }

  /** Each task is created once: of two masters' words for it, the second one must be about another task, or about none. */
  #nameAcked(id: TaskId, isNew: boolean, order: number): TaskId {
    if (!isNew) return this.lastName(id, order);
    const life = this.#before(id, order).findLast((each) => !each.isClaimed);
    if (life === undefined) return `${id}~0` as TaskId;
    life.isClaimed = true;
    return life.name;
  }

  #nameCreated(id: TaskId, createdAt: number | undefined, order: number): TaskId {
    const lives = this.#before(id, order);
    return (lives.findLast(({ spec }) => spec.createdAt === createdAt) ?? lives.at(-1))?.name ?? id;
  }

  /** A master may be held up between the commit and its answer, and the id be used again meanwhile. */
  #nameCancelled(id: TaskId, order: number): TaskId {
    const lives = this.#before(id, order);
    const isCancelled = ({ statuses }: Life): boolean =>
      statuses.some((each) => each.order < order && each.status.state === "cancelled");
    return (lives.findLast(isCancelled) ?? lives.at(-1))?.name ?? id;
  }

  #nameIssued(event: Extract<LedgerEvent, { attempt: number; order: number }>): TaskId {
    const { task: id, attempt, order } = event;
    const assignedAt = "assignedAt" in event ? event.assignedAt : undefined;
    const lives = this.#before(id, order);
    const isIssued = ({ statuses }: Life): boolean =>
      statuses.some(({ status }) => status.attempt === attempt && status.assignedAt === assignedAt);
    return (lives.findLast(isIssued) ?? lives.at(-1))?.name ?? id;
  }
}

function nameFinal(final: FinalState, lives: Lives): FinalState {
  return {
    ...final,
    documents: new Map(
      [...final.documents].map(([id, document]) => {
        const name = lives.lastName(id);
        return [name, { ...document, id: name }];
      }),
    ),
    unfinished: new Map([...final.unfinished].map(([id, reason]) => [lives.lastName(id), reason])),
    ...(final.logs && {
      logs: new Map([...final.logs].map(([key, log]) => [key, { ...log, task: lives.lastName(log.task) }])),
    }),
  };
}
