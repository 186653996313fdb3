/** The event stream of committed changes. It can be resumed at any journal entry that is still kept. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { ref, safeCount } from "../../model/schema.ts";
import { encodeBatch, sseMessage } from "../events/changeEvents.ts";
import type { EventStream } from "../events/eventStream.ts";
import type { Context, Route } from "./route.ts";

export const eventRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/events",
    name: "followEvents",
    summary: "Every committed change, in order, once.",
    tag: "events",
    query: {
      progress: {
        type: "boolean",
        default: false,
        description:
          "Also what running attempts say of their progress, as `progress`; only from the leader, never repeated.",
      },
      after: { ...safeCount, description: "Everything after this journal entry; from now on if left out." },
    },
    headers: {
      "last-event-id": {
        type: "string",
        pattern: "^[0-9]{1,16}$",
        description: "As `after`, sent by browsers by themselves.",
      },
    },
    answers: {
      200: {
        description:
          "Events `task`, `worker`, `queue` and `leader`; `reset` where changes were missed and everything is to be read anew. " +
          "The id stands on the last event of each journal entry.",
        content: {
          "text/event-stream": {
            anyOf: ["Task", "Worker", "Queue", "Leader", "Reset", "Progress"].map((kind) => ref(`${kind}Event`)),
          },
        },
      },
    },
    isStream: true,
    handle: followEvents,
  },
];

async function followEvents(request: FastifyRequest, reply: FastifyReply, { master, streams }: Context): Promise<void> {
  const after = resumeAt(request);
  await streams.open(reply, "client", async (stream) => {
    const subscription = await subscribe(master, stream, after);
    if ((request.query as { progress?: boolean }).progress !== true) return () => subscription.close();
    const stopListening = master.onProgress((change) => {
      // A reader that is behind needs the committed changes more.
      if (!stream.isClosed && !stream.isBusy) stream.send(`${sseMessage("progress", change)}\n`);
    });
    return () => {
      stopListening();
      subscription.close();
    };
  });
}

function resumeAt(request: FastifyRequest): number | null {
  const seen = request.headers["last-event-id"];
  // A browser reconnects with the original URL, so the header counts more than the query.
  if (typeof seen === "string") return Number(seen);
  return (request.query as { after?: number }).after ?? null;
}

async function subscribe(master: MasterApi, stream: EventStream, after: number | null): Promise<Subscription> {
  const { seq, role } = master.status();
  if (after === null) return follow(master, stream, seq);
  // A standby may be behind what its client has read elsewhere. A leader never is, so this is another journal.
  if (after > seq && role === "leader") return reset(master, stream, `The journal ends at ${seq}.`);
  try {
    return await follow(master, stream, after);
  } catch (error) {
    if (!(error instanceof OutlastError) || error.code !== "not-found") throw error;
    return reset(master, stream, error.message);
  }
}

async function reset(master: MasterApi, stream: EventStream, reason: string): Promise<Subscription> {
  const { seq } = master.status();
  stream.send(`${sseMessage("reset", { seq, reason })}id: ${seq}\n\n`);
  return follow(master, stream, seq);
}

/** If this master has skipped entries, the stream ends: the reader reconnects and gets them from the journal. */
function follow(master: MasterApi, stream: EventStream, after: number): Promise<Subscription> {
  return master.changes(after, teller(stream, after), () => stream.end());
}

/** While old entries are replayed, the master waits for the returned promise, so that a long journal is never buffered. */
function teller(stream: EventStream, afterSeq: number): (batch: ChangeBatch) => unknown {
  let reportedSeq = afterSeq;
  return (batch) => {
    if (stream.isClosed) throw new OutlastError("unavailable", "The stream is closed.");
    if (batch.seq <= reportedSeq) return null;
    reportedSeq = batch.seq;
    stream.send(encodeBatch(batch));
    return stream.isBusy ? stream.drained() : null;
  };
}
