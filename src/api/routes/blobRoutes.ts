/** Files: blobs by their content, and objects by their names. */
import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { sha256Of, toBlobReference } from "../../model/blob.ts";
import { limits } from "../../model/limits.ts";
import { limitKeyword } from "../../model/schema.ts";
import { uploadOf } from "../http/uploads.ts";
import { downloadAnswers, hereOrAtLeader, rangeHeader, sendDownload } from "./download.ts";
import { pathName, type Route } from "./route.ts";

const blobParameter = {
  id: {
    type: "string",
    pattern: "^(sha256:)?[0-9a-f]{64}$",
    description: "The SHA-256 of the content, as 64 hex digits, or a reference as tasks have it.",
  },
};
const objectName = {
  type: "string",
  minLength: 1,
  maxLength: limits.objectNameLengthMax,
  [limitKeyword]: "objectNameLengthMax",
};
const objectParameter = {
  name: { ...objectName, description: "Parts between slashes; a slash may also be written as %2F." },
};
const folderQuery = { folder: { ...objectName, description: "Objects whose names begin with it and a slash." } };

export const blobRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/blobs",
    name: "putBlob",
    access: { needs: "submit", of: "none", isForWorkers: true },
    summary: "Upload a file. It is kept as long as something refers to it, and for a day at least.",
    tag: "blobs",
    body: { limit: "blobBodyBytesMax", isRaw: true },
    needsLeader: true,
    answers: {
      200: { description: "There was a blob of this content; its lease begins anew.", schema: "Blob" },
      201: { description: "Stored.", schema: "Blob", headers: { location: { type: "string" } } },
    },
    handle: async (request, reply, { master, transfers }) => {
      const end = transfers.begin();
      try {
        const { isNew, sha256, size } = await master.blobs.put(uploadOf(request));
        return await reply
          .code(isNew ? 201 : 200)
          .header("location", `/v1/blobs/${sha256}`)
          .send({ sha256, size, blob: toBlobReference(sha256) });
      } finally {
        end();
      }
    },
  },
  {
    method: "GET",
    path: "/v1/blobs/:id",
    name: "getBlob",
    access: { needs: "read", of: "none", isForWorkers: true },
    summary: "Download a blob or a part of it. HEAD tells only its size.",
    tag: "blobs",
    parameters: blobParameter,
    headers: rangeHeader,
    answers: downloadAnswers,
    handle: (request, reply, context) =>
      hereOrAtLeader(request, reply, context, async () => {
        const { blobs } = context.master;
        const id = sha256In(request);
        const { size } = await blobs.stat(id);
        const headers = { etag: `"${id}"` };
        return sendDownload(request, reply, context, { size, headers, read: (range) => blobs.read(id, range) });
      }),
  },
  {
    method: "DELETE",
    path: "/v1/blobs/:id",
    name: "releaseBlob",
    access: { needs: "operate", of: "all" },
    summary: "End the lease of a blob: it is removed once nothing refers to it.",
    tag: "blobs",
    parameters: blobParameter,
    needsLeader: true,
    answers: { 200: { description: "Its lease has ended.", schema: "BlobReleased" } },
    handle: async (request, _reply, { master }) => {
      const id = sha256In(request);
      await master.blobs.release(id);
      return { sha256: id, isReleased: true };
    },
  },
  {
    method: "PUT",
    path: "/v1/objects/:name",
    name: "putObject",
    access: { needs: "operate", of: "all", isForWorkers: true },
    summary: "Store a file under a name that is used once. Whoever stores objects removes them.",
    tag: "blobs",
    parameters: objectParameter,
    body: { limit: "blobBodyBytesMax", isRaw: true },
    needsLeader: "unless-shared",
    answers: { 201: { description: "Stored.", schema: "StoredObject" } },
    handle: async (request, reply, { master, transfers }) => {
      const end = transfers.begin();
      try {
        const stored = await master.blobs.putObject(pathName(request), uploadOf(request));
        return await reply.code(201).send({ sha256: stored.sha256, size: stored.size });
      } finally {
        end();
      }
    },
  },
  {
    method: "GET",
    path: "/v1/objects/:name",
    name: "getObject",
    access: { needs: "operate", of: "all", isForWorkers: true },
    summary: "Download an object or a part of it. HEAD tells only its size.",
    tag: "blobs",
    parameters: objectParameter,
    headers: rangeHeader,
    answers: downloadAnswers,
    handle: (request, reply, context) =>
      hereOrAtLeader(request, reply, context, async () => {
        const { blobs } = context.master;
        const name = pathName(request);
        const { size } = await blobs.statObject(name);
        return sendDownload(request, reply, context, { size, read: (range) => blobs.readObject(name, range) });
      }),
  },
  {
    method: "DELETE",
    path: "/v1/objects/:name",
    name: "deleteObject",
    access: { needs: "operate", of: "all", isForWorkers: true },
    summary: "Remove an object. It is no error if there is none.",
    tag: "blobs",
    parameters: objectParameter,
    needsLeader: "unless-shared",
    answers: { 200: { description: "It is gone.", schema: "ObjectDeleted" } },
    handle: async (request, _reply, { master }) => {
      const name = pathName(request);
      await master.blobs.deleteObject(name);
      return { name, isDeleted: true };
    },
  },
  {
    method: "GET",
    path: "/v1/objects",
    name: "listObjects",
    access: { needs: "operate", of: "all", isForWorkers: true },
    summary: "List the objects of a folder, in no particular order.",
    tag: "blobs",
    query: folderQuery,
    queryNeeded: ["folder"],
    needsLeader: "unless-shared",
    answers: {
      200: {
        description: "One object per line, with its name and size, as they are found.",
        content: { "application/x-ndjson": { type: "string" } },
      },
    },
    handle: (request, reply, { master }) => {
      const { folder } = request.query as { folder: string };
      return reply.type("application/x-ndjson").send(Readable.from(linesOf(master.blobs.listObjects(folder))));
    },
  },
  {
    method: "DELETE",
    path: "/v1/objects",
    name: "deleteObjects",
    access: { needs: "operate", of: "all", isForWorkers: true },
    summary: "Remove all objects of a folder.",
    tag: "blobs",
    query: folderQuery,
    queryNeeded: ["folder"],
    needsLeader: "unless-shared",
    answers: { 200: { description: "They are gone.", schema: "ObjectDeleted" } },
    handle: async (request, _reply, { master }) => {
      const { folder } = request.query as { folder: string };
      await master.blobs.deleteObjects(folder);
      return { name: folder, isDeleted: true };
    },
  },
];

function sha256In(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  return sha256Of(id) ?? id;
}

async function* linesOf(objects: AsyncIterable<object>): AsyncGenerator<string, void, undefined> {
  for await (const object of objects) yield `${JSON.stringify(object)}\n`;
}
