/** The routes of the worker protocol: attach, reports, logs, and the stream that brings work. Reports are the hottest path of the API. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import type { ChildrenRequest, StepsRequest } from "../../model/family.ts";
import type { SessionId, WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { AttachRequest, LogChunk, ReportItem, ReportRequest, StreamMessage } from "../../model/protocol.ts";
import { limitKeyword, ref } from "../../model/schema.ts";
import { relayedHeader } from "../http/headers.ts";
import { type Context, idParameter, pathId, type Route } from "./route.ts";

export const protocolRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/workers/:id/sessions",
    name: "attachWorker",
    access: { needs: "work", of: "worker" },
    summary: "Begin a session: who the worker is and what it has.",
    tag: "worker protocol",
    parameters: idParameter,
    body: { schema: "AttachRequest", limit: "reportBodyBytesMax" },
    answers: { 200: { description: "What to end, what is settled.", schema: "AttachAnswer" } },
    handle: attach,
  },
  {
    method: "GET",
    path: "/v1/workers/:id/stream",
    name: "openWorkerStream",
    access: { needs: "work", of: "worker" },
    summary:
      "Stream of assignments, aborts, drain requests and heartbeats of the master. When it closes, the session ends.",
    tag: "worker protocol",
    parameters: idParameter,
    query: { session: { type: "string", minLength: 1, maxLength: limits.idLengthMax, [limitKeyword]: "idLengthMax" } },
    queryNeeded: ["session"],
    answers: {
      200: { description: "One message per `data:` line.", content: { "text/event-stream": ref("StreamMessage") } },
    },
    isStream: true,
    needsLeader: true,
    handle: openStream,
  },
  {
    method: "POST",
    path: "/v1/workers/:id/reports",
    name: "report",
    access: { needs: "work", of: "worker" },
    summary: "Starts, results and what attempts say, in batches; without items a bare heartbeat.",
    tag: "worker protocol",
    parameters: idParameter,
    body: { schema: "ReportRequest", limit: "reportBodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "One acknowledgement for each item with an id.", schema: "ReportAnswer" } },
    handle: (request, _reply, { master }) => {
      const report = request.body as ReportRequest;
      refuseLargeOutputs(report.items, Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY));
      return master.report(pathId<WorkerId>(request), report);
    },
  },
  {
    method: "POST",
    path: "/v1/workers/:id/steps",
    name: "readSteps",
    access: { needs: "work", of: "worker" },
    summary: "What the task of a running attempt remembers, page by page.",
    tag: "worker protocol",
    parameters: idParameter,
    body: { schema: "StepsRequest", limit: "bodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "One page.", schema: "StepsPage" } },
    handle: (request, _reply, { master }) => master.readSteps(pathId<WorkerId>(request), request.body as StepsRequest),
  },
  {
    method: "POST",
    path: "/v1/workers/:id/children",
    name: "readChildren",
    access: { needs: "work", of: "worker" },
    summary: "How the children of a set have ended, in the order of their indices.",
    tag: "worker protocol",
    parameters: idParameter,
    body: { schema: "ChildrenRequest", limit: "bodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "One page.", schema: "ChildrenPage" } },
    handle: (request, _reply, { master }) =>
      master.readChildren(pathId<WorkerId>(request), request.body as ChildrenRequest),
  },
  {
    method: "POST",
    path: "/v1/workers/:id/logs",
    name: "storeLogs",
    access: { needs: "work", of: "worker" },
    summary: "Store pieces of output. A piece that is sent again is stored once.",
    tag: "worker protocol",
    parameters: idParameter,
    body: { schema: "LogPost", limit: "reportBodyBytesMax" },
    needsLeader: true,
    answers: { 204: { description: "Stored." } },
    handle: storeLogs,
  },
];

/** A standby names the leader to workers, and relays for those that ask for it because they cannot reach the leader. */
async function attach(request: FastifyRequest, reply: FastifyReply, { master, relay }: Context): Promise<unknown> {
  const body = request.body as AttachRequest;
  // Read now: once the worker has closed its connection, its address is gone.
  const host = peerAddress(request);
  const leader = await relay.leaderFor(request, defaults.attachElectionWaitMs);
  if (leader !== null && body.relay === true) {
    const failure = await relay.forward(leader, request, reply, Buffer.from(JSON.stringify(body)));
    if (failure === null) return;
    if (failure.isSent) throw relay.toError(leader, failure);
    // It may have died just now: the next leader can then take the worker.
    await relay.otherLeader(leader, defaults.attachElectionWaitMs);
  }
  // A request that a standby passed on does not come from the worker's machine, so a probe port there proves nothing.
  const isRelayed = request.headers[relayedHeader] !== undefined;
  // A worker that asked a standby to relay may have reached it just as it became the leader.
  const asked = { ...body, relay: isRelayed, probePort: isRelayed ? null : body.probePort };
  return master.attach(pathId<WorkerId>(request), asked, host);
}

async function openStream(request: FastifyRequest, reply: FastifyReply, { master, streams }: Context): Promise<void> {
  const worker = pathId<WorkerId>(request);
  const { session } = request.query as { session: SessionId };
  await streams.open(reply, "worker", (stream) =>
    master.openStream(worker, session, {
      send: (message: StreamMessage) => stream.send(`data: ${JSON.stringify(message)}\n\n`),
      drained: () => stream.drained(),
      close: () => stream.end(),
    }),
  );
}

/** Outputs end up in the journal, so they are limited. A smaller body cannot contain a larger output. */
function refuseLargeOutputs(items: readonly ReportItem[], bodyBytes: number): void {
  if (bodyBytes <= limits.resultBytesMax) return;
  for (const [index, item] of items.entries()) {
    if (item.kind !== "result" || item.output === undefined) continue;
    if (Buffer.byteLength(JSON.stringify(item.output)) <= limits.resultBytesMax) continue;
    throw new OutlastError(
      "too-large",
      `The output of task ${item.task} is larger than ${limits.resultBytesMax} bytes.`,
      {
        path: `/items/${index}/output`,
        limit: "resultBytesMax",
      },
    );
  }
}

interface LogPost {
  readonly session: SessionId;
  readonly chunks: readonly LogPiece[];
}

interface LogPiece extends Omit<LogChunk, "bytes"> {
  readonly base64: string;
}

async function storeLogs(request: FastifyRequest, reply: FastifyReply, { master }: Context): Promise<unknown> {
  const { session, chunks } = request.body as LogPost;
  await master.storeLogs(pathId<WorkerId>(request), session, chunks.map(toChunk));
  return reply.code(204).send();
}

function toChunk({ task, attempt, assignedAt, offset, at, base64, isTruncated }: LogPiece, index: number): LogChunk {
  const bytes = Buffer.from(base64, "base64");
  // Node skips characters that are not base64, so they show as a length that does not fit.
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  if (base64.length % 4 !== 0 || bytes.length !== (base64.length / 4) * 3 - padding) {
    throw new OutlastError("invalid", '"base64" is not valid base64.', { path: `/chunks/${index}/base64` });
  }
  return { task, attempt, ...(assignedAt !== undefined && { assignedAt }), offset, at, bytes, isTruncated };
}

/** The address of the worker; empty if it has disconnected. IPv4 on an IPv6 socket is shown as IPv4. */
function peerAddress(request: FastifyRequest): string {
  const ip: string | undefined = request.ip;
  return (ip ?? "").replace(/^::ffff:/, "");
}
