/** The worker's connection to a master: JSON over HTTP with keep-alive, and one event stream from the master. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { type Bearer, mayBeRefused } from "../model/bearer.ts";
import { wrongScheme } from "../model/errors.ts";
import type { ChildrenPage, ChildrenRequest, StepsPage, StepsRequest } from "../model/family.ts";
import type { SessionId, WorkerId } from "../model/ids.ts";
import { defaults, limits } from "../model/limits.ts";
import type {
  AttachAnswer,
  AttachRequest,
  LogChunk,
  ReportAnswer,
  ReportRequest,
  StreamMessage,
} from "../model/protocol.ts";
import type { Log } from "../ports/log.ts";
import {
  type Dial,
  LinkError,
  type MasterLink,
  noCertificate,
  type ShowCertificate,
  type Stream,
  type StreamHandlers,
} from "../ports/transport.ts";
import { readAnswer, readStream } from "./httpAnswer.ts";

export interface LinkOptions {
  readonly bearer: Bearer;
  readonly log: Log;
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly showCertificate?: ShowCertificate;
}

/** Connection pools of one process, shared by its links to all masters. */
interface Wire extends Required<LinkOptions> {
  readonly plain: HttpAgent;
  readonly secure: HttpsAgent;
}

/** A `Dial` whose links share their connections. Idle connections stay open, but do not keep the process alive. */
export function createDial(options: LinkOptions): Dial {
  const wire: Wire = {
    connectTimeoutMs: defaults.connectTimeoutMs,
    requestTimeoutMs: defaults.requestTimeoutMs,
    showCertificate: noCertificate,
    ...options,
    plain: new HttpAgent({ keepAlive: true }),
    secure: new HttpsAgent({ keepAlive: true }),
  };
  return (address) => new HttpLink(wire, address);
}

class HttpLink implements MasterLink {
  readonly #wire: Wire;
  readonly #address: string;

  constructor(wire: Wire, address: string) {
    this.#wire = wire;
    this.#address = address.replace(/\/+$/, "");
  }

  async attach(worker: WorkerId, request: AttachRequest): Promise<AttachAnswer> {
    const answer = await this.#post(`${workerPath(worker)}/sessions`, request);
    if (isObject(answer) && typeof answer["session"] === "string" && isEpoch(answer["epoch"])) {
      if (Array.isArray(answer["abort"]) && Array.isArray(answer["verdicts"])) return answer as unknown as AttachAnswer;
    }
    throw this.#notOurs("attach");
  }

  async report(worker: WorkerId, request: ReportRequest): Promise<ReportAnswer> {
    const answer = await this.#post(`${workerPath(worker)}/reports`, request);
    if (isObject(answer) && isEpoch(answer["epoch"]) && Array.isArray(answer["verdicts"])) {
      return answer as unknown as ReportAnswer;
    }
    throw this.#notOurs("report");
  }

  async sendLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[]): Promise<void> {
    const pieces = chunks.map(({ bytes, ...rest }) => ({ ...rest, base64: toBase64(bytes) }));
    await this.#post(`${workerPath(worker)}/logs`, { session, chunks: pieces });
  }

  async readSteps(worker: WorkerId, request: StepsRequest): Promise<StepsPage> {
    const answer = await this.#post(`${workerPath(worker)}/steps`, request);
    if (isObject(answer) && Array.isArray(answer["steps"])) return answer as unknown as StepsPage;
    throw this.#notOurs("steps");
  }

  async readChildren(worker: WorkerId, request: ChildrenRequest): Promise<ChildrenPage> {
    const answer = await this.#post(`${workerPath(worker)}/children`, request);
    if (isObject(answer) && Array.isArray(answer["children"])) return answer as unknown as ChildrenPage;
    throw this.#notOurs("children");
  }

  openStream(worker: WorkerId, session: SessionId, handlers: StreamHandlers): Stream {
    const leaving = new AbortController();
    const opening = setTimeout(() => {
      leaving.abort(
        new LinkError("timeout", `${this.#address} did not open a stream within ${this.#wire.requestTimeoutMs} ms.`),
      );
    }, this.#wire.requestTimeoutMs);
    const run = async () => {
      const path = `${workerPath(worker)}/stream?session=${encodeURIComponent(session)}`;
      const response = await this.#send("GET", path, null, leaving.signal);
      clearTimeout(opening);
      if (response.statusCode !== 200) throw await this.#errorOf(response);
      await readStream(response, leaving.signal, (data) => {
        const message = parseMessage(data);
        if (message !== null) handlers.onMessage(message);
      });
    };
    void run()
      .then(
        () => "The master ended the stream.",
        (error: unknown) => reasonOf(leaving.signal.aborted ? leaving.signal.reason : error),
      )
      .then((reason) => {
        clearTimeout(opening);
        handlers.onClose(reason);
      });
    return { close: () => leaving.abort(new LinkError("closed", "Closed by the worker.")) };
  }

  /** @throws LinkError */
  async #post(path: string, body: unknown): Promise<unknown> {
    const limit = AbortSignal.timeout(this.#wire.requestTimeoutMs);
    try {
      const response = await this.#send("POST", path, Buffer.from(JSON.stringify(body)), limit);
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 299) throw await this.#errorOf(response);
      const text = await readAnswer(response, limits.answerBytesMax);
      return text === "" ? null : parseJson(text);
    } catch (error) {
      if (error instanceof LinkError) throw error;
      if (limit.aborted) {
        throw new LinkError("timeout", `${this.#address} did not answer within ${this.#wire.requestTimeoutMs} ms.`);
      }
      const wrong = wrongScheme(this.#address, error);
      const why = wrong === null ? "" : ` (${wrong.message} ${wrong.hint})`;
      throw new LinkError("unreachable", `${this.#address} cannot be reached: ${reasonOf(error)}${why}`);
    }
  }

  /** Sends one request, once more if there is another token than the one that was refused, and returns the head of its answer. */
  async #send(method: string, path: string, body: Buffer | null, signal: AbortSignal): Promise<IncomingMessage> {
    const { bearer, log } = this.#wire;
    const { token } = bearer;
    const response = await this.#sendAlive(method, path, body, signal);
    if (!mayBeRefused(response.statusCode) || !bearer.renew(token)) return response;
    log.info("a master refused the token; there is another one now", { address: this.#address });
    response.resume();
    return await this.#sendAlive(method, path, body, signal);
  }

  /**
   * Sends one request and returns the head of its answer. If a kept connection was closed by the master meanwhile, the request is
   * sent once more on a new connection; all of our requests may be repeated.
   */
  async #sendAlive(method: string, path: string, body: Buffer | null, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      return await this.#sendOnce(method, path, body, signal, true);
    } catch (error) {
      if (!(error instanceof StaleConnection) || signal.aborted) throw error;
      return await this.#sendOnce(method, path, body, signal, false);
    }
  }

  #sendOnce(method: string, path: string, body: Buffer | null, signal: AbortSignal, mayReuse: boolean) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const url = new URL(this.#address + path);
      const isSecure = url.protocol === "https:";
      if (!isSecure && url.protocol !== "http:")
        throw new LinkError("unreachable", `${this.#address} is not an http or https address.`);
      const options: RequestOptions = { method, signal, headers: this.#headers(body, this.#wire.bearer.token) };
      if (isSecure) Object.assign(options, this.#wire.showCertificate());
      options.agent = mayReuse && (isSecure ? this.#wire.secure : this.#wire.plain);
      const request = isSecure ? httpsRequest(url, options) : httpRequest(url, options);
      const connectTimer = setTimeout(() => {
        request.destroy(
          new LinkError(
            "timeout",
            `${this.#address} did not accept a connection within ${this.#wire.connectTimeoutMs} ms.`,
          ),
        );
      }, this.#wire.connectTimeoutMs);
      const onConnected = () => clearTimeout(connectTimer);
      request.on("socket", (socket) => (socket.connecting ? socket.once("connect", onConnected) : onConnected()));
      request.on("response", resolve);
      request.on("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(connectTimer);
        const isStale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
      });
      request.end(body ?? undefined);
    });
  }

  #headers(body: Buffer | null, token: string | null): { [name: string]: string | number } {
    return {
      accept: body === null ? "text/event-stream" : "application/json",
      ...(body !== null && { "content-type": "application/json", "content-length": body.length }),
      ...(token !== null && { authorization: `Bearer ${token}` }),
    };
  }

  async #errorOf(response: IncomingMessage): Promise<LinkError> {
    const error = await toError(response);
    if (error.code !== "unauthorized") return error;
    return new LinkError(error.code, `${error.message} ${this.#wire.bearer.outlook}`, error.leader);
  }

  #notOurs(call: string): LinkError {
    this.#wire.log.warn("an answer does not come from an Outlast master", { address: this.#address, call });
    return new LinkError(
      "protocol",
      `The server at ${this.#address} is not an Outlast master of a compatible version.`,
    );
  }
}

/** A kept connection was closed before any of the answer arrived. */
class StaleConnection extends Error {}

function workerPath(worker: WorkerId): string {
  return `/v1/workers/${encodeURIComponent(worker)}`;
}

/** The error from the body, `{ error: { code, message, leader? } }`, or from the status alone. */
async function toError(response: IncomingMessage): Promise<LinkError> {
  const body = parseJson(await readAnswer(response, limits.answerBytesMax).catch(() => ""), null);
  const error = isObject(body) ? body["error"] : null;
  if (!isObject(error) || typeof error.code !== "string") {
    return new LinkError("protocol", `The answer had status ${response.statusCode} and no error message.`);
  }
  const { code, message, leader } = error;
  return new LinkError(code, typeof message === "string" ? message : code, typeof leader === "string" ? leader : null);
}

const messageKinds: readonly string[] = ["assign", "abort", "drain", "tell", "beat"] satisfies StreamMessage["kind"][];

/**
 * Null for an unknown kind, which a newer master may send; workers ignore it.
 * @throws LinkError for an invalid message
 */
function parseMessage(data: string): StreamMessage | null {
  const message = parseJson(data);
  if (!isObject(message) || typeof message["kind"] !== "string" || !isEpoch(message["epoch"])) {
    throw new LinkError("protocol", "The stream contains an invalid message.");
  }
  return messageKinds.includes(message["kind"]) ? (message as unknown as StreamMessage) : null;
}

/** @throws LinkError if the text is not JSON and there is no `otherwise` */
function parseJson(text: string, otherwise?: null): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (otherwise !== undefined) return otherwise;
    throw new LinkError("protocol", "The answer is not valid JSON.");
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEpoch(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
