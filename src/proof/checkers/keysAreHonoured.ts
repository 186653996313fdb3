/** I12: one key and one content is one set of tasks, however often it is sent; the same key with other content is refused. */
import type { TaskId } from "../../model/ids.ts";
import { checker } from "./checker.ts";
import type { History } from "./ledger.ts";
import { idOf } from "./lives.ts";
import { eventsOf, forgotten } from "./reading.ts";

interface KeyUse {
  readonly body: string;
  readonly call: number;
  readonly order: number;
}

export const keysAreHonoured = checker("I12", "idempotency keys are honoured", (history, report) => {
  const answers = new Map(eventsOf(history, "submit-ok").map((event) => [event.call, event]));
  const refusals = new Map(eventsOf(history, "submit-fail").map((event) => [event.call, event.code]));
  const goneOrders = new Map<TaskId, number[]>();
  for (const [task, { order }] of forgotten(history))
    goneOrders.set(idOf(task), [...(goneOrders.get(idOf(task)) ?? []), order]);
  const uses = new Map<string, KeyUse[]>();
  for (const { call, key, tasks, order } of eventsOf(history, "submit-invoke")) {
    const whole = JSON.stringify(tasks.map((task) => task.body));
    const named =
      key === null
        ? tasks.flatMap(({ id, body }) => (id === null ? [] : [{ name: `id ${id}`, body }]))
        : [{ name: `key ${key}`, body: whole }];
    for (const { name, body } of named) uses.set(name, [...(uses.get(name) ?? []), { body, call, order }]);
  }
  const idsOf = (call: number, name: string): TaskId[] => {
    const ids = (answers.get(call)?.ids ?? []).map(idOf);
    return name.startsWith("id ") ? ids.filter((id) => name === `id ${id}`) : ids;
  };
  for (const [key, calls] of uses) {
    const accepted = calls.filter(({ call }) => answers.has(call));
    const [first] = accepted;
    if (first === undefined) continue;
    const firstIds = idsOf(first.call, key);
    let last = first;
    for (const use of accepted) {
      const ids = idsOf(use.call, key);
      const answeredAt = Math.max(answers.get(use.call)?.order ?? 0, answers.get(last.call)?.order ?? 0);
      // A task that is forgotten takes the memory of its key with it.
      const isGone = ids.some((id) =>
        goneOrders.get(id)?.some((order) => order > Math.min(last.order, use.order) && order < answeredAt),
      );
      if (use.body !== last.body && !isGone) report(`${key} was accepted for two different submissions`, ...ids);
      else if (ids.join() !== firstIds.join())
        report(`${key} gave ${firstIds.join()} and then ${ids.join()}`, ...ids, ...firstIds);
      last = use;
    }
    // Where only one content was ever sent and not refused, nothing can be in conflict with it. Once the task was forgotten, a call that is
    // refused in the end may have made it anew before, and not have heard of it.
    const wasForgotten = firstIds.some((id) => goneOrders.has(id));
    const possible = wasForgotten ? calls : calls.filter(({ call }) => !refusals.has(call));
    const bodies = new Set(possible.map(({ body }) => body));
    for (const { body, call } of calls) {
      if (refusals.get(call) !== "conflict" || bodies.size !== 1 || !bodies.has(body)) continue;
      if (key.startsWith("key ") || isAlone(history, call))
        report(`${key} was refused as a conflict for the very submission it belongs to`, ...firstIds);
    }
  }
  const seen = new Set<string>();
  for (const { seq, writes } of history.entries) {
    for (const write of writes) {
      if (write.kind !== "spec") continue;
      if (seen.has(write.spec.id))
        report(`task ${write.spec.id} was created a second time in entry ${seq}`, write.spec.id);
      seen.add(write.spec.id);
    }
  }
});

/** True if the call was about one task: another one in it cannot have been the reason for the refusal. */
function isAlone(history: History, call: number): boolean {
  return eventsOf(history, "submit-invoke").find((event) => event.call === call)?.tasks.length === 1;
}
