/** Answers with a file or a part of it. */
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import type { ByteRange, ObjectContent } from "../../ports/blobs.ts";
import { rangeOf } from "../http/byteRange.ts";
import type { Answer, Context } from "./route.ts";

export const downloadAnswers: { readonly [status: number]: Answer } = {
  200: {
    description: "The whole file.",
    content: { "application/octet-stream": { type: "string", format: "binary" } },
    headers: { "accept-ranges": { type: "string" } },
  },
  206: {
    description: "The part that `range` asks for.",
    content: { "application/octet-stream": { type: "string", format: "binary" } },
    headers: { "content-range": { type: "string" } },
  },
};

export const rangeHeader = {
  range: {
    type: "string",
    maxLength: 100,
    description: "One range of bytes: `bytes=0-499`, `bytes=500-`, `bytes=-500`.",
  },
};

export interface Download {
  readonly size: number;
  readonly read: (range: ByteRange | undefined) => Promise<ObjectContent>;
  /** Sent with the file, for example an `etag`. */
  readonly headers?: { readonly [name: string]: string };
}

/** @throws OutlastError `bad-range`, `too-many` */
export async function sendDownload(
  request: FastifyRequest,
  reply: FastifyReply,
  { transfers }: Context,
  { size, read, headers = {} }: Download,
): Promise<unknown> {
  const range = rangeOf(request.headers.range, size);
  const { from, until } = range ?? { from: 0, until: size };
  reply.headers({ "content-type": "application/octet-stream", "accept-ranges": "bytes", ...headers });
  reply.header("content-length", until - from);
  if (range !== null) reply.code(206).header("content-range", `bytes ${from}-${until - 1}/${size}`);
  // An empty stream: the headers say how long the file is.
  if (request.method === "HEAD") return reply.send(Readable.from([]));
  const end = transfers.begin();
  reply.raw.once("close", end);
  try {
    const { content } = await read(range ?? undefined);
    return await reply.send(Readable.from(content, { objectMode: false }));
  } catch (error) {
    end();
    for (const name of ["accept-ranges", "content-length", "content-range", ...Object.keys(headers)]) {
      reply.removeHeader(name);
    }
    throw error;
  }
}

/** A standby that does not have the file itself asks the leader, who may. */
export async function hereOrAtLeader(
  request: FastifyRequest,
  reply: FastifyReply,
  { master, relay }: Context,
  answer: () => Promise<unknown>,
): Promise<unknown> {
  try {
    return await answer();
  } catch (error) {
    const mayBeThere = error instanceof OutlastError && (error.code === "not-found" || error.code === "unavailable");
    if (!mayBeThere || master.blobs.isShared || reply.sent) throw error;
    if (!(await relay.pass(request, reply))) throw error;
    return reply;
  }
}
