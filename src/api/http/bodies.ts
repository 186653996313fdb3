/** Which body types are accepted, and their parsers. Routes see only what these return. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import type { Body } from "../routes/route.ts";
import { parseJson } from "./jsonBody.ts";
import { readNdjson } from "./ndjson.ts";

const ndjson = "application/x-ndjson";

/** For batches in NDJSON: `lines[i]` is the line that `/tasks/<i>` stands on. */
const linesOfRequest = new WeakMap<FastifyRequest, readonly number[]>();

/** Bodies of any type reach the handler as they arrive. For a part of the server that has parsers of its own. */
export function addRawBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", (_request, _payload, done) => done(null, undefined));
}

export function addBodyParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, bytes, done) => {
    try {
      // Routes that need a body refuse null themselves.
      done(null, bytes.length === 0 ? null : parseJson(bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  server.addContentTypeParser(ndjson, async (request: FastifyRequest, payload: FastifyRequest["raw"]) => {
    const { values, lines } = await readNdjson(payload, limits.batchBodyBytesMax);
    linesOfRequest.set(request, lines);
    return { tasks: values };
  });
}

/**
 * Checks by the headers whether the body is acceptable, before any of it is read.
 * @throws OutlastError `unsupported-media`
 */
export function checkBodyHead(request: FastifyRequest, body: Body | undefined): void {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new OutlastError("unsupported-media", "Compressed request bodies are not supported.", {
      hint: "Send the body without content-encoding.",
    });
  }
  const type = request.headers["content-type"];
  if (type === undefined || body?.isRaw === true) return;
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new OutlastError("unsupported-media", "The body must be UTF-8.");
  }
  if (type.toLowerCase().startsWith(ndjson) && body?.isNdjson !== true) {
    throw new OutlastError("unsupported-media", "NDJSON is not supported on this route.", {
      hint: "Send the body as content-type: application/json.",
    });
  }
}

/** Adds the line to an error about one task of an NDJSON batch. */
export function withLine(request: FastifyRequest, error: OutlastError): OutlastError {
  const lines = linesOfRequest.get(request);
  const index = /^\/tasks\/(\d+)/.exec(error.details.path ?? "")?.[1];
  const line = index === undefined ? undefined : lines?.[Number(index)];
  if (line === undefined) return error;
  return new OutlastError(error.code, `Line ${line}: ${error.message}`, { ...error.details, line });
}
