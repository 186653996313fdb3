/** Reading the output of tasks, once or as it is written. */

import type { FastifyReply, FastifyRequest } from "fastify";
import { counted } from "../../model/counted.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { attempt, ref, safeCount } from "../../model/schema.ts";
import { isFinal, type TaskDocument } from "../../model/task.ts";
import { LogFollower } from "../events/logFollower.ts";
import { readEndedPage, readLogPage, readMissing } from "../events/logReader.ts";
import { type Context, consistentQuery, pathId, type Route, taskParameter } from "./route.ts";
import { noSuchTask } from "./taskRoutes.ts";

export const logRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/tasks/:id/logs",
    name: "readLogs",
    access: { needs: "read", of: "task" },
    summary: "Read the output of one attempt; with `follow`, of this and all later attempts as it is written.",
    tag: "tasks",
    parameters: taskParameter,
    query: {
      attempt: { ...attempt, description: "Default: the last attempt." },
      offset: { ...safeCount, default: 0, description: "The first byte to return." },
      follow: { type: "boolean", default: false },
      ...consistentQuery,
    },
    headers: {
      "last-event-id": {
        type: "string",
        pattern: "^[0-9]{1,16}:[0-9]{1,16}$",
        description: "With `follow`: continue after this event.",
      },
    },
    answers: {
      200: {
        description:
          "The bytes as they were written; with `follow`, the events `log`, `missing`, `attempt` and finally `end`.",
        content: { "text/plain": { type: "string" }, "text/event-stream": ref("LogEvent") },
        headers: {
          "x-outlast-attempt": { type: "integer", description: "0 if no attempt has started yet." },
          "x-outlast-next-offset": { type: "integer", description: "The offset of the next read." },
          "x-outlast-missing": {
            type: "string",
            description:
              "So many bytes in front of these, or at the end of the log, have not come; `some` where nobody knows how many. Left out if none.",
          },
          "x-outlast-truncated": {
            type: "boolean",
            description: "The log ends here: the attempt wrote more than is kept.",
          },
        },
      },
    },
    isStream: true,
    handle: answerLogs,
  },
];

interface LogQuery {
  readonly attempt?: number;
  readonly offset?: number;
  readonly follow?: boolean;
}

async function answerLogs(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<unknown> {
  const query = request.query as LogQuery;
  const task = pathId<TaskId>(request);
  if (query.follow === true) return follow(request, reply, context);
  const document = await readDocument(context, task, query);
  const number = query.attempt ?? document.attempt;
  const { logBytes } = document;
  const offset = query.offset ?? 0;
  const isEnded = isFinal(document.state) && number === document.attempt && logBytes !== undefined;
  const page = isEnded
    ? await readEndedPage(context.master, task, number, { offset, logBytes })
    : await readLogPage(context.master, task, number, offset);
  const isAtEnd = page.chunks.length === 0 && !page.isTruncated && number > 0;
  const missing = isAtEnd ? await readMissing(context.master, task, number, offset) : page.missingBytes || undefined;
  if (missing !== undefined) reply.header("x-outlast-missing", missing ?? "some");
  return reply
    .header("content-type", "text/plain; charset=utf-8")
    .header("x-outlast-attempt", number)
    .header("x-outlast-next-offset", page.nextOffset)
    .header("x-outlast-truncated", page.isTruncated)
    .send(Buffer.concat(page.chunks.map((chunk) => chunk.bytes)));
}

async function follow(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<void> {
  const task = pathId<TaskId>(request);
  const query = { ...(request.query as LogQuery), ...resumeAt(request) };
  await context.streams.open(reply, "client", async (stream) => {
    let follower: LogFollower | null = null;
    let newsCount = 0;
    const lookAnew = async () => {
      const seenCount = newsCount;
      const document = await readDocument(context, task, {});
      // A status that has arrived meanwhile is newer.
      if (newsCount === seenCount) follower?.update(document);
    };
    // The watch begins before the task is read, so that no change is missed.
    const stopWatching = await context.watch.watch(new Set([task]), (news) => {
      newsCount += 1;
      const last = news.kind === "changes" ? news.writes.at(-1) : undefined;
      if (last?.kind === "status") follower?.update(last.status);
      else if (last === undefined) lookAnew().catch(() => stream.destroy());
    });
    try {
      const document = await readDocument(context, task, query);
      const start = { task, attempt: query.attempt ?? document.attempt, offset: query.offset ?? 0, status: document };
      follower = new LogFollower(context.master, stream, start);
    } catch (error) {
      stopWatching();
      throw error;
    }
    // After a failure the reader reconnects and resumes.
    follower.run().catch(() => stream.destroy());
    return () => {
      stopWatching();
      follower?.stop();
    };
  });
}

function resumeAt(request: FastifyRequest): LogQuery {
  const seen = request.headers["last-event-id"];
  if (typeof seen !== "string") return {};
  const [number, offset] = seen.split(":").map(Number);
  return number === undefined || offset === undefined ? {} : { attempt: number, offset };
}

async function readDocument({ master, actor }: Context, task: TaskId, query: LogQuery): Promise<TaskDocument> {
  const document = await master.readTask(task);
  if (document === null) throw noSuchTask(task, actor);
  if (query.attempt !== undefined && query.attempt > document.attempt) {
    const had = document.attempt === 0 ? "no attempts" : `only ${counted(document.attempt, "attempt")}`;
    throw new OutlastError("not-found", `Task ${task} has ${had}.`, { path: "/attempt" });
  }
  return document;
}
