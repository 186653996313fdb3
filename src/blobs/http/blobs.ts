/** Objects as workers and other programs reach them: through the HTTP API of any master. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Bearer, mayBeRefused } from "../../model/bearer.ts";
import { defaults, limits } from "../../model/limits.ts";
import {
  type Blobs,
  BlobsUnavailable,
  type ByteRange,
  checkObjectName,
  type ListedObject,
  type ObjectContent,
  ObjectTaken,
  ObjectTooLarge,
  type StoredObject,
} from "../../ports/blobs.ts";
import { noCertificate, type ShowCertificate } from "../../ports/transport.ts";
import { Measured } from "../measured.ts";

export interface HttpBlobsOptions {
  /** Base URLs of masters. The one that answered last is asked first. */
  readonly masters: readonly string[];
  readonly bearer: Bearer;
  readonly showCertificate?: ShowCertificate;
}

interface Ask {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly headers?: { readonly [name: string]: string };
}

/** A master has refused; the code is its own. */
class Refused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class HttpBlobs implements Blobs {
  readonly isShared = true;
  readonly #bearer: Bearer;
  readonly #showCertificate: ShowCertificate;
  readonly #plain = new HttpAgent({ keepAlive: true });
  readonly #secure = new HttpsAgent({ keepAlive: true });
  /** In the order in which they are asked. */
  #masters: readonly string[];

  constructor({ masters, bearer, showCertificate = noCertificate }: HttpBlobsOptions) {
    this.#showCertificate = showCertificate;
    this.#masters = masters.map((address) => address.replace(/\/+$/, ""));
    this.#bearer = bearer;
  }

  async open(): Promise<string> {
    return `through ${this.#masters.join(", ")}`;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject> {
    checkObjectName(name);
    return this.#upload({ method: "PUT", path: objectPath(name) }, content, bytesMax);
  }

  /** Uploads a blob: a file by its content, leased for a day. */
  async putBlob(content: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    return this.#upload({ method: "POST", path: "/v1/blobs" }, content, limits.blobBodyBytesMax);
  }

  async get(name: string, range?: ByteRange): Promise<ObjectContent | null> {
    checkObjectName(name);
    return this.#download(objectPath(name), range);
  }

  /** Null if there is no blob of this content. */
  async getBlob(sha256: string, range?: ByteRange): Promise<ObjectContent | null> {
    return this.#download(`/v1/blobs/${encodeURIComponent(sha256)}`, range);
  }

  async stat(name: string): Promise<{ readonly size: number } | null> {
    checkObjectName(name);
    const answer = await this.#askForSome({ method: "HEAD", path: objectPath(name) });
    answer?.resume();
    return answer === null ? null : { size: Number(answer.headers["content-length"]) };
  }

  async delete(name: string): Promise<void> {
    checkObjectName(name);
    (await this.#ask({ method: "DELETE", path: objectPath(name) })).resume();
  }

  async deleteAll(folder: string): Promise<void> {
    checkObjectName(folder);
    (await this.#ask({ method: "DELETE", path: folderPath(folder) })).resume();
  }

  async *list(folder: string): AsyncGenerator<ListedObject, void, undefined> {
    checkObjectName(folder);
    const answer = await this.#ask({ method: "GET", path: folderPath(folder) });
    try {
      for await (const line of createInterface({ input: answer })) yield JSON.parse(line) as ListedObject;
      if (!answer.complete) throw new BlobsUnavailable("network", "A list of objects broke off.");
    } finally {
      answer.destroy();
    }
  }

  async close(): Promise<void> {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  async #download(path: string, range?: ByteRange): Promise<ObjectContent | null> {
    // HTTP has no empty ranges, and none behind the end.
    const head = range === undefined ? null : await this.#askForSome({ method: "HEAD", path });
    head?.resume();
    if (range !== undefined) {
      if (head === null) return null;
      const size = Number(head.headers["content-length"]);
      if (range.from >= Math.min(range.until, size)) return { size, content: Readable.from([]) };
    }
    const headers = range === undefined ? {} : { range: `bytes=${range.from}-${range.until - 1}` };
    const answer = await this.#askForSome({ method: "GET", path, headers });
    if (answer === null) return null;
    const whole = /\/(\d+)$/.exec(answer.headers["content-range"] ?? "")?.[1];
    return { size: Number(whole ?? answer.headers["content-length"]), content: contentOf(answer) };
  }

  /** Content can be read only once, so a live master is looked for before it is sent. */
  async #upload(ask: Ask, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject> {
    (await this.#ask({ method: "GET", path: "/healthz" })).resume();
    const measured = new Measured(content, bytesMax);
    const answer = await this.#send(this.#masters[0] ?? "", ask, measured);
    answer.resume();
    return measured.result();
  }

  async #askForSome(ask: Ask): Promise<IncomingMessage | null> {
    try {
      return await this.#ask(ask);
    } catch (error) {
      if (error instanceof Refused && error.code === "not-found") return null;
      throw error;
    }
  }

  /** Asks each master until one answers. @throws Refused, BlobsUnavailable */
  async #ask(ask: Ask): Promise<IncomingMessage> {
    let failure: unknown = new BlobsUnavailable("network", "No master is known.");
    for (const address of this.#masters) {
      try {
        const answer = await this.#send(address, ask, null);
        this.#masters = [address, ...this.#masters.filter((other) => other !== address)];
        return answer;
      } catch (error) {
        if (!(error instanceof BlobsUnavailable) || error.reason === "full") throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #send(address: string, ask: Ask, content: AsyncIterable<Uint8Array> | null): Promise<IncomingMessage> {
    const url = new URL(address + ask.path);
    const isSecure = url.protocol === "https:";
    const { token } = this.#bearer;
    const headers = {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(content !== null && { "content-type": "application/octet-stream" }),
      ...ask.headers,
    };
    const options: RequestOptions = { method: ask.method, headers, agent: isSecure ? this.#secure : this.#plain };
    if (isSecure) Object.assign(options, this.#showCertificate());
    const request = isSecure ? httpsRequest(url, options) : httpRequest(url, options);
    request.setTimeout(defaults.requestTimeoutMs, () => request.destroy(new Error("no answer within the time limit")));
    const answering = new Promise<IncomingMessage>((resolve, reject) => {
      request.once("response", resolve);
      request.on("error", reject);
    });
    // It is awaited below, after the content.
    answering.catch(() => {});
    try {
      if (content === null) request.end();
      else await sendContent(content, request, answering);
      const answer = await answering;
      if ((answer.statusCode ?? 500) < 300) return answer;
      if (mayBeRefused(answer.statusCode)) this.#bearer.renew(token);
      throw await toRefusal(answer);
    } catch (error) {
      request.destroy();
      if (error instanceof ContentFailed) throw error.cause;
      throw toBlobsError(address, error);
    }
  }
}

/** The content could not be read: that is not the masters' fault. */
class ContentFailed extends Error {}

/** Resolves when all of it was sent, or the master has answered before. */
async function sendContent(
  content: AsyncIterable<Uint8Array>,
  request: NodeJS.WritableStream,
  answering: Promise<IncomingMessage>,
): Promise<void> {
  async function* source() {
    try {
      yield* content;
    } catch (error) {
      throw new ContentFailed("The content could not be read.", { cause: error });
    }
  }
  const sending = pipeline(Readable.from(source(), { objectMode: false }), request);
  // After an early answer the rest of the content is of no use, and the request is destroyed.
  await Promise.race([sending, answering.then(() => undefined)]).catch(async (error: unknown) => {
    if (error instanceof ContentFailed) throw error;
    // The connection may have been closed after an answer that tells why.
    await answering.catch(() => {
      throw error;
    });
  });
  sending.catch(() => {});
}

async function toRefusal(answer: IncomingMessage): Promise<Error> {
  const pieces: Buffer[] = [];
  for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece);
  try {
    const { error } = JSON.parse(Buffer.concat(pieces).toString()) as { error: { code: string; message: string } };
    return new Refused(error.code, error.message);
  } catch {
    // An answer to HEAD has no body.
    if (answer.statusCode === 404) return new Refused("not-found", "Not found.");
    return new Refused("unavailable", `The answer had status ${answer.statusCode} and no error message.`);
  }
}

function toBlobsError(address: string, error: unknown): unknown {
  if (!(error instanceof Refused)) {
    const message = error instanceof Error ? error.message : String(error);
    return new BlobsUnavailable("network", `${address} cannot be reached: ${message}`, { cause: error });
  }
  switch (error.code) {
    case "conflict":
      return new ObjectTaken(error.message);
    case "too-large":
      return new ObjectTooLarge(limits.blobBodyBytesMax);
    case "storage-full":
      return new BlobsUnavailable("full", error.message);
    // The token is being replaced, or soon will be: what runs goes on meanwhile, and so does what it has to move.
    case "unauthorized":
    case "unavailable":
    case "not-leader":
    case "too-many":
    case "too-slow":
      return new BlobsUnavailable("network", error.message);
    default:
      return error;
  }
}

async function* contentOf(answer: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) yield piece;
    if (!answer.complete) throw new Error("it broke off");
  } catch (error) {
    throw new BlobsUnavailable("network", "A download broke off.", { cause: error });
  } finally {
    answer.destroy();
  }
}

function objectPath(name: string): string {
  return `/v1/objects/${name.replaceAll("/", "%2F")}`;
}

function folderPath(folder: string): string {
  return `/v1/objects?folder=${encodeURIComponent(folder)}`;
}
