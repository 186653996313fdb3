/** What happened lately, for charts: counts and durations over time, elections, and workers that came and went. */
import type { FastifyRequest } from "fastify";
import { oneOf, safeCount } from "../../model/schema.ts";
import { type Resolution, resolutions } from "../history/historyRecorder.ts";
import type { Route, Schemas } from "./route.ts";

const sinceQuery: Schemas = {
  since: { ...safeCount, default: 0, description: "Only what began at or after this instant, in ms since 1970." },
};

interface HistoryQuery {
  readonly resolution?: Resolution;
  readonly since?: number;
}

export const historyRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/history",
    name: "getHistory",
    access: { needs: "read", of: "all" },
    summary: "The last five minutes by second or the last hour by minute, from the memory of the leader.",
    tag: "master",
    query: {
      resolution: oneOf(Object.keys(resolutions), { default: "minute" }),
      ...sinceQuery,
    },
    needsLeader: true,
    answers: { 200: { description: "The points, the newest last.", schema: "History" } },
    handle: (request, _reply, { history }) => {
      const { resolution = "minute", since = 0 } = queryOf(request);
      return { resolutionMs: resolutions[resolution], points: history.points(resolution, since) };
    },
  },
  {
    method: "GET",
    path: "/v1/marks",
    name: "listMarks",
    access: { needs: "read", of: "all" },
    summary: "The last elections, and workers that came, left, drained or were lost, from the memory of this master.",
    tag: "master",
    query: sinceQuery,
    answers: { 200: { description: "The marks, the newest last.", schema: "MarkList" } },
    handle: (request, _reply, { history }) => ({ marks: history.marks(queryOf(request).since ?? 0) }),
  },
];

function queryOf(request: FastifyRequest): HistoryQuery {
  return request.query as HistoryQuery;
}
