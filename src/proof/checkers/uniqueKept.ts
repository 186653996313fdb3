/** The part of I31 on unique keys: one unfinished task that counts, none that starts beside one that is ending, and true answers. */
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskStatus } from "../../model/task.ts";
import type { Report } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { eventsOf, name, specs, stepBefore, stepsByTask } from "./reading.ts";

/** The unfinished tasks with unique keys, as the journal says at one point. */
export class UniqueBoard {
  readonly #groups = new Map<string, string>();
  readonly #unfinished = new Map<string, Map<string, TaskStatus>>();

  apply(entry: LandedEntry, report: Report): void {
    const changed = new Set<string>();
    for (const write of entry.writes) {
      if (write.kind === "spec" && write.spec.uniqueKey !== undefined)
        this.#groups.set(write.spec.id, `${write.spec.queue} ${write.spec.uniqueKey}`);
      const group = write.kind === "status" ? this.#groups.get(write.status.id) : undefined;
      if (write.kind !== "status" || group === undefined) continue;
      const tasks = this.#unfinished.get(group) ?? new Map<string, TaskStatus>();
      this.#unfinished.set(group, tasks);
      changed.add(group);
      if (isFinal(write.status.state)) tasks.delete(write.status.id);
      else tasks.set(write.status.id, write.status);
    }
    for (const group of changed) {
      const counting = [...(this.#unfinished.get(group)?.values() ?? [])].filter(
        ({ family }) => family?.ending === undefined,
      );
      if (counting.length > 1)
        report(
          `tasks ${counting.map(({ id }) => id).join(", ")} share the unique key ${group} in entry ${entry.seq}`,
          ...counting.map(({ id }) => id),
        );
    }
  }

  checkStart({ id, attempt }: TaskStatus, entry: LandedEntry, report: Report): void {
    const group = this.#groups.get(id);
    const others = group === undefined ? [] : [...(this.#unfinished.get(group)?.keys() ?? [])];
    const other = others.find((each) => each !== id);
    if (other !== undefined)
      report(
        `${name(id, attempt)} was assigned in entry ${entry.seq} before ${other} with its unique key had ended`,
        id,
      );
  }
}

/** True if the task was unfinished at some time between the two; a retry may have opened it again. */
function isUnfinishedBetween(history: History, id: TaskId, from: number, to: number): boolean {
  // It was made in the entry of its first status.
  let isOpen = true;
  for (const { status, entry } of stepsByTask(history).get(id) ?? []) {
    if (entry.order >= to) break;
    const wasOpen = isOpen;
    isOpen = !isFinal(status.state);
    if (entry.order > from && (isOpen || wasOpen)) return true;
  }
  return isOpen;
}

/** What was answered to submissions with unique keys is what was there between question and answer. */
export function checkUniqueAnswers(history: History, report: Report): void {
  for (const { asked, queue, key, task, answer, order } of eventsOf(history, "unique-answer")) {
    const isThere = (id: TaskId): boolean => {
      const known = specs(history).get(id);
      const isOfKey = known?.spec.queue === queue && known.spec.uniqueKey === key && known.entry.order < order;
      return isOfKey && isUnfinishedBetween(history, id, asked, order);
    };
    if (task === null || answer === null) {
      if (![...specs(history).keys()].some(isThere))
        report(`a task was refused for the unique key ${key} of queue ${queue}, which no unfinished task had`);
      continue;
    }
    if (answer.isExisting === true && !isThere(task))
      report(
        `task ${task} was answered for the unique key ${key} of queue ${queue}, and is no unfinished task with it`,
        task,
      );
    const replaced = answer.replaced === undefined ? undefined : stepBefore(history, answer.replaced, order)?.status;
    if (replaced !== undefined && !isFinal(replaced.state) && replaced.family?.ending === undefined)
      report(`task ${answer.replaced} was replaced and goes on`, task);
  }
}
