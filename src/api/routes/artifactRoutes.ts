/** What tasks leave: listed and downloaded by their paths. */
import type { FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { limitKeyword } from "../../model/schema.ts";
import { downloadAnswers, hereOrAtLeader, rangeHeader, sendDownload } from "./download.ts";
import { consistentQuery, pathId, type Route, taskParameter } from "./route.ts";

const pathParameter = {
  ...taskParameter,
  path: {
    type: "string",
    minLength: 1,
    maxLength: limits.filePathBytesMax,
    [limitKeyword]: "filePathBytesMax",
    description: "As it is listed; a slash may also be written as %2F.",
  },
};

export const artifactRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/tasks/:id/artifacts",
    name: "listArtifacts",
    access: { needs: "read", of: "task" },
    summary: "List the files that the committed attempt of a task has left; none before there is one.",
    tag: "tasks",
    parameters: taskParameter,
    query: consistentQuery,
    answers: { 200: { description: "All of them, by path.", schema: "ArtifactList" } },
    handle: async (request, _reply, { master }) => {
      const task = pathId<TaskId>(request);
      const records = await master.views.artifacts(task);
      return { task, artifacts: records.map(({ path, sha256, size }) => ({ path, sha256, size })) };
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/artifacts/:path",
    name: "getArtifact",
    access: { needs: "read", of: "task" },
    summary: "Download one of these files, or a part of it.",
    tag: "tasks",
    parameters: pathParameter,
    query: consistentQuery,
    headers: rangeHeader,
    answers: downloadAnswers,
    handle: (request, reply, context) =>
      hereOrAtLeader(request, reply, context, async () => {
        const { blobs, views } = context.master;
        const { sha256, size } = find(request, await views.artifacts(pathId<TaskId>(request)));
        const headers = { etag: `"${sha256}"` };
        return sendDownload(request, reply, context, { size, headers, read: (range) => blobs.read(sha256, range) });
      }),
  },
];

function find<Record extends { readonly path: string }>(request: FastifyRequest, records: readonly Record[]): Record {
  const { path } = request.params as { path: string };
  const found = records.find((record) => record.path === path);
  if (found !== undefined) return found;
  const task = pathId<TaskId>(request);
  throw new OutlastError("not-found", `Task ${task} has left no file ${JSON.stringify(path.slice(0, 200))}.`, {
    hint: `GET /v1/tasks/${task}/artifacts lists them. They are there once the task is success.`,
  });
}
