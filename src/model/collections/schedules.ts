/** The collection `schedules`: each with its next tick, which the leader computes once. */
import { isId } from "../ids.ts";
import type { ScheduleRecord } from "../schedules/schedule.ts";
import { type Collection, isObject } from "./collection.ts";

export const schedules = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (!isId(value["name"]) || value["name"] !== id) return "has a name that is not its id";
    if (!isObject(value["content"]) || !isObject(value["task"])) return "has no content or task";
    const { nextAt } = value;
    if (nextAt !== null && !Number.isSafeInteger(nextAt)) return "has a next tick that is no instant";
    if (!Number.isSafeInteger(value["settledAt"]) || !Number.isSafeInteger(value["sinceAt"]))
      return "does not say which ticks are settled";
    const list = ["queued", "open", "skipped", "backfilled"].find((name) => !Array.isArray(value[name]));
    return list === undefined ? null : `has no list ${list}`;
  },

  digestOf: ({ fingerprint, isPaused, nextAt, settledAt, fired, isRemoved = false, ...lists }) => ({
    ...{ fingerprint, isPaused, nextAt, settledAt, fired, isRemoved },
    queued: lists.queued,
    open: lists.open,
    skipped: lists.skipped.map(({ from, to, reason }) => [from, to, reason]),
    backfilled: lists.backfilled.map(({ from, to }) => [from, to]),
  }),

  toEvent: () => null,
} as const satisfies Collection<ScheduleRecord>;
