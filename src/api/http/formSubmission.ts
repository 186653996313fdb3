/** A task and its files in one `multipart/form-data` request: files become blobs as they arrive, and their names go into the input. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import type { FastifyRequest } from "fastify";
import type { BlobApi } from "../../master/service/blobApi.ts";
import { toBlobReference } from "../../model/blob.ts";
import { OutlastError } from "../../model/errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { checkSubmission, type Submission } from "../../model/submission.ts";
import { parseJson } from "./jsonBody.ts";
import { uploadOf } from "./uploads.ts";

const hint = `curl -F 'task={"kind":"exec","input":{"command":["wc","data.csv"]}}' -F data.csv=@data.csv …/v1/tasks/form`;

const taskField = "The field `task`";
const cutHint =
  "curl -F ends the text of a field at a `;` and reads a file behind `@` and `<`: write --form-string 'task=…', or -F task=@task.json.";

/**
 * The submission in the field `task`, which may also be a file, with each file as one of `input.files`. What was uploaded before an error is collected later.
 * @throws OutlastError `unsupported-media`, `bad-request`, `bad-json`, `invalid`, and what an upload may be refused with
 */
export async function readForm(request: FastifyRequest, blobs: BlobApi): Promise<Submission> {
  const { parser, form } = startForm(request, blobs);
  try {
    await pipeline(Readable.from(uploadOf(request), { objectMode: false }), parser);
  } catch (error) {
    // Of several failures, that of an upload says most.
    throw (
      form.failure ??
      (error instanceof OutlastError ? error : new OutlastError("bad-request", "The form is malformed.", { hint }))
    );
  }
  const files = Object.fromEntries(await Promise.all(form.uploads));
  const task = await form.task;
  if (form.failure !== null) throw form.failure;
  if (task === null) throw new OutlastError("bad-request", "The form has no field `task`.", { hint });
  const submission = withFiles(parseTask(task), files);
  checkSubmission(submission);
  return submission;
}

type Parser = InstanceType<typeof Busboy>;

function parseTask(task: Uint8Array): Json {
  try {
    return parseJson(task, taskField);
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    const message = error.message.startsWith(taskField) ? error.message : `${taskField}: ${error.message}`;
    throw new OutlastError(error.code, message, { hint: cutHint, ...error.details });
  }
}

interface Form {
  /** A field, or a file of that name that comes without one: `curl -F task=@task.json`. */
  task: Promise<Uint8Array> | null;
  failure: Error | null;
  readonly names: Set<string>;
  readonly uploads: Promise<readonly [string, string]>[];
}

function startForm(request: FastifyRequest, blobs: BlobApi): { readonly parser: Parser; readonly form: Form } {
  const type = request.headers["content-type"] ?? "";
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw new OutlastError("unsupported-media", "This route takes multipart/form-data.", { hint });
  }
  const form: Form = { task: null, failure: null, names: new Set(), uploads: [] };
  const bounds = {
    fieldSize: limits.bodyBytesMax,
    files: limits.execFilesMax,
    fields: 1,
    fieldNameSize: limits.filePathBytesMax,
  };
  let parser: Parser;
  try {
    parser = new Busboy({ headers: request.headers as BusboyHeaders, limits: bounds });
  } catch {
    throw new OutlastError("bad-request", "The form has no boundary.", { hint });
  }
  const fail = (error: Error) => {
    form.failure ??= error;
    parser.destroy(error);
  };
  parser.on("field", (name, value, _isNameCut, isCut) => {
    if (name !== "task")
      fail(new OutlastError("bad-request", "The only field of the form is `task`; all else are files.", { hint }));
    else if (isCut) fail(tooLong());
    else if (form.task !== null)
      fail(new OutlastError("bad-request", "Put the field `task` before a file of that name."));
    else form.task = Promise.resolve(Buffer.from(value));
  });
  parser.on("file", (name, content) => {
    if (name === "task" && form.task === null) {
      form.task = readTask(content);
      form.task.catch(fail);
      return;
    }
    if (form.names.has(name)) {
      const text = JSON.stringify(name.slice(0, 200));
      return fail(new OutlastError("bad-request", `Two files of the form have the name ${text}.`, { hint }));
    }
    form.names.add(name);
    const upload = blobs.put(wholePart(content)).then(({ sha256 }) => [name, toBlobReference(sha256)] as const);
    // Awaited in the end; a failure ends the form at once.
    upload.catch(fail);
    form.uploads.push(upload);
  });
  for (const event of ["filesLimit", "fieldsLimit"] as const) {
    parser.on(event, () =>
      fail(new OutlastError("bad-request", "The form has too many parts.", { limit: "execFilesMax", hint })),
    );
  }
  return { parser, form };
}

async function readTask(content: AsyncIterable<Buffer>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of wholePart(content)) {
    bytes += piece.length;
    if (bytes > limits.bodyBytesMax) throw tooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function tooLong(): OutlastError {
  return new OutlastError("too-large", "The field `task` is too long.", { limit: "bodyBytesMax" });
}

async function* wholePart(content: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const piece of content) yield piece;
  } catch {
    throw new OutlastError("bad-request", "A file of the form ended too early.", { hint });
  }
}

function withFiles(task: Json, files: { readonly [name: string]: string }): Json {
  const isObject = (value: Json | undefined): value is JsonObject =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (Object.keys(files).length === 0 || !isObject(task)) return task;
  const { input } = task;
  if (!isObject(input)) return task;
  const given = isObject(input["files"]) ? input["files"] : {};
  return { ...task, input: { ...input, files: { ...given, ...files } } };
}
