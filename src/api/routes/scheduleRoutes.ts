/** Schedules: put, read, pause, trigger, preview, remove. */
import type { Backfill, Preview } from "../../master/service/scheduleApi.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { id, whole } from "../../model/schema.ts";
import { consistentQuery, pathName, type Route } from "./route.ts";
import { idempotencyKey, keyOf } from "./taskRoutes.ts";

const parameters = { name: { ...id, description: "The schedule's name." } };

export const scheduleRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/schedules",
    name: "listSchedules",
    access: { needs: "read", of: "each" },
    summary: "List the schedules by name, page by page.",
    tag: "schedules",
    query: {
      cursor: id,
      limit: whole(1, limits.pageMax, "pageMax", { default: limits.pageDefault }),
      ...consistentQuery,
    },
    answers: { 200: { description: "One page.", schema: "SchedulePage" } },
    handle: (request, _reply, { master }) => {
      const { cursor = null, limit = limits.pageDefault } = request.query as { cursor?: string; limit?: number };
      return master.schedules.list(cursor, limit);
    },
  },
  {
    method: "GET",
    path: "/v1/schedules/:name",
    name: "getSchedule",
    access: { needs: "read", of: "schedule" },
    summary: "Read one schedule: what it says, its next tick, and the ticks that it skipped.",
    tag: "schedules",
    parameters,
    query: consistentQuery,
    answers: { 200: { description: "The schedule.", schema: "ScheduleView" } },
    handle: (request, _reply, { master }) => master.schedules.read(pathName(request)),
  },
  {
    method: "PUT",
    path: "/v1/schedules/:name",
    name: "putSchedule",
    access: { needs: "operate", of: "schedule" },
    summary: "Put a schedule in place of the one of its name. Ticks that are due happen first; none fires again.",
    tag: "schedules",
    parameters,
    body: { schema: "Schedule", limit: "scheduleBodyBytesMax" },
    needsLeader: true,
    answers: {
      200: { description: "It said the same before.", schema: "SchedulePut" },
      201: { description: "Put.", schema: "SchedulePut" },
    },
    handle: async (request, reply, { master }) => {
      const put = await master.schedules.put(pathName(request), request.body as Json);
      return reply.code(put.isNew ? 201 : 200).send(put);
    },
  },
  {
    method: "DELETE",
    path: "/v1/schedules/:name",
    name: "removeSchedule",
    access: { needs: "operate", of: "schedule" },
    summary: "Remove a schedule. Its tasks stay, and its ticks never fire again.",
    tag: "schedules",
    parameters,
    needsLeader: true,
    answers: { 200: { description: "Removed.", schema: "ScheduleRemoved" } },
    handle: async (request, _reply, { master }) => {
      const name = pathName(request);
      await master.schedules.remove(name);
      return { name, isRemoved: true };
    },
  },
  pauseRoute("pause", "Pause a schedule. Its ticks are skipped until it is resumed.", true),
  pauseRoute("resume", "Resume a schedule.", false),
  {
    method: "POST",
    path: "/v1/schedules/:name/trigger",
    name: "triggerSchedule",
    access: { needs: "operate", of: "schedule" },
    summary: "Run the task of a schedule now, besides its ticks.",
    tag: "schedules",
    parameters,
    headers: idempotencyKey,
    needsLeader: true,
    answers: {
      200: { description: "An earlier request has created it.", schema: "Submitted" },
      201: { description: "Created.", schema: "Submitted" },
    },
    handle: async (request, reply, { master }) => {
      const task = await master.schedules.trigger(pathName(request), keyOf(request));
      return reply.code(task.isNew ? 201 : 200).send(task);
    },
  },
  {
    method: "POST",
    path: "/v1/schedules/:name/backfill",
    name: "backfillSchedule",
    access: { needs: "operate", of: "schedule" },
    summary:
      "Make the tasks of past ticks that have none, with the ids that they would have had. A call does a part; ask again from `nextFrom`.",
    tag: "schedules",
    parameters,
    body: { schema: "ScheduleBackfill", limit: "smallBodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "What was done.", schema: "ScheduleBackfilled" } },
    handle: (request, _reply, { master }) => {
      const { from, to = limits.instantMsMax, isDryRun = false } = request.body as Partial<Backfill> & { from: number };
      return master.schedules.backfill(pathName(request), { from, to, isDryRun });
    },
  },
  {
    method: "POST",
    path: "/v1/schedule-previews",
    name: "previewSchedule",
    access: { needs: "read", of: "none" },
    summary: "The next ticks that a schedule would have, with the local time and changes of the clocks.",
    tag: "schedules",
    body: { schema: "SchedulePreview", limit: "scheduleBodyBytesMax" },
    answers: { 200: { description: "The ticks.", schema: "ScheduleTicks" } },
    handle: (request, _reply, { master }) => {
      const { schedule, count = 10, ...more } = request.body as Partial<Preview> & { schedule: Json };
      return master.schedules.preview(schedule, { count, ...more });
    },
  },
];

function pauseRoute(verb: "pause" | "resume", summary: string, isPaused: boolean): Route {
  return {
    method: "POST",
    path: `/v1/schedules/:name/${verb}`,
    name: `${verb}Schedule`,
    access: { needs: "operate", of: "schedule" },
    summary,
    tag: "schedules",
    parameters,
    needsLeader: true,
    answers: { 200: { description: "Done.", schema: "SchedulePaused" } },
    handle: async (request, _reply, { master }) => {
      const name = pathName(request);
      await master.schedules.setPaused(name, isPaused);
      return { name, isPaused };
    },
  };
}
