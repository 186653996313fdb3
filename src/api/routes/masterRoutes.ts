/** Status, health checks and metrics of a master. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { sseMessage } from "../events/changeEvents.ts";
import { statusOrNull } from "../http/headers.ts";
import { type Context, leaderQuery, type Route } from "./route.ts";

export const masterRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/status",
    name: "getStatus",
    access: { needs: "read", of: "each" },
    summary: "The state of this master: its role, the leader, its journal position, and statistics.",
    tag: "master",
    query: leaderQuery,
    answers: { 200: { description: "The status.", schema: "MasterStatus" } },
    handle: (_request, _reply, { master, guard }) => ({
      ...master.status(),
      clockOffsetMs: master.status().now - Date.now(),
      isOpen: guard.isOpen,
      isBehindProxy: guard.reach.isBehindProxy,
      stats: master.stats(),
    }),
  },
  {
    method: "GET",
    path: "/v1/masters",
    name: "listMasters",
    access: { needs: "read", of: "none" },
    summary: "All masters that share the store, from the records that each renews every second.",
    tag: "master",
    answers: { 200: { description: "The masters, as far as this one knows.", schema: "MasterList" } },
    handle: (_request, _reply, { master }) => ({ masters: master.members() }),
  },
  {
    method: "POST",
    path: "/v1/barrier",
    name: "passBarrier",
    access: { needs: "read", of: "none" },
    summary: "Make the leader prove by a commit that it leads, and return its journal position.",
    tag: "master",
    needsLeader: true,
    answers: {
      200: { description: "Everything that was committed before the request has at most this seq.", schema: "Barrier" },
    },
    handle: async (_request, _reply, { master }) => ({ seq: await master.barrier() }),
  },
  {
    method: "GET",
    path: "/healthz",
    name: "isAlive",
    access: { needs: "everybody", of: "none" },
    summary: "Liveness check: answers while the process is alive.",
    tag: "master",
    answers: { 200: { description: "Alive.", schema: "Health" } },
    handle: () => ({ status: "alive" }),
  },
  {
    method: "GET",
    path: "/healthz/lifeline",
    name: "holdLivenessStream",
    access: { needs: "everybody", of: "none" },
    summary:
      "A stream that stays open while the process is alive. Standbys watch the leader with it. A leader tells of its lease and its journal to masters that show in `x-outlast-peer` that they have the same token, and to everybody where no credential is needed.",
    tag: "master",
    isStream: true,
    answers: {
      200: {
        description:
          "`leader` events with `epoch`, `nonce`, `beat`, `isResigned`, `ttlMs` and `seq`, and `signature` where masters have a token; otherwise comments only.",
        content: { "text/event-stream": { type: "string" } },
      },
    },
    handle: (request, reply, { streams, master, guard }) =>
      streams.open(reply, "lifeline", (stream) =>
        // Asked again each time: once there are users, not everybody may hear it any more.
        master.onLeaderBeat((beat) => {
          if (guard.isPeer(request)) stream.send(`${sseMessage("leader", guard.signed(beat))}\n`);
        }),
      ),
  },
  {
    method: "GET",
    path: "/readyz",
    name: "isReady",
    access: { needs: "everybody", of: "none" },
    summary: "Readiness check: a leader is known and the store works.",
    tag: "master",
    answers: {
      200: { description: "Ready.", schema: "Readiness" },
      503: { description: "Not ready, with the reason.", schema: "Readiness" },
    },
    handle: answerReadiness,
  },
  {
    method: "GET",
    path: "/metrics",
    name: "getMetrics",
    access: { needs: "read", of: "all" },
    summary: "Metrics for Prometheus.",
    tag: "master",
    answers: {
      200: { description: "Metrics in the text format of Prometheus.", content: { "text/plain": { type: "string" } } },
    },
    handle: async (_request, reply, { metrics }) =>
      reply.header("content-type", metrics.contentType).send(await metrics.text()),
  },
];

function answerReadiness(_request: FastifyRequest, reply: FastifyReply, { master }: Context): unknown {
  const status = statusOrNull(master);
  const { role, leader, trouble } = status ?? { role: "starting", leader: null, trouble: null };
  const isReady = (role === "leader" || role === "standby") && leader !== null && trouble === null;
  return reply.code(isReady ? 200 : 503).send({ isReady, role, leader, trouble });
}
