/** I12: one key and one content is one set of tasks, however often it is sent; the same key with other content is refused. */
import { checker } from "./checker.ts";
import { eventsOf } from "./reading.ts";

interface KeyUse {
  readonly body: string;
  readonly call: number;
}

export const keysAreHonoured = checker("I12", "idempotency keys are honoured", (history, report) => {
  const answers = new Map(eventsOf(history, "submit-ok").map((event) => [event.call, event.ids]));
  const refusals = new Map(eventsOf(history, "submit-fail").map((event) => [event.call, event.code]));
  const uses = new Map<string, KeyUse[]>();
  for (const { call, key, tasks } of eventsOf(history, "submit-invoke")) {
    const names = key === null ? tasks.flatMap(({ id }) => (id === null ? [] : [`id ${id}`])) : [`key ${key}`];
    const body = JSON.stringify(tasks.map((task) => task.body));
    for (const each of names) uses.set(each, [...(uses.get(each) ?? []), { body, call }]);
  }
  for (const [key, calls] of uses) {
    const accepted = calls.filter(({ call }) => answers.has(call));
    const [first] = accepted;
    if (first === undefined) continue;
    const firstIds = answers.get(first.call) ?? [];
    for (const { body, call } of accepted) {
      const ids = answers.get(call) ?? [];
      if (body !== first.body) report(`${key} was accepted for two different submissions`, ...ids);
      else if (ids.join() !== firstIds.join())
        report(`${key} gave ${firstIds.join()} and then ${ids.join()}`, ...ids, ...firstIds);
    }
    for (const { body, call } of calls) {
      if (body === first.body && refusals.get(call) === "conflict") {
        report(`${key} was refused as a conflict for the very submission it belongs to`, ...firstIds);
      }
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
