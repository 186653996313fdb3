/** Runs the kind `http`: one request to a service, in the worker's own process. */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Json } from "../../model/json.ts";
import { type HttpInput, type HttpOutput, methodOf } from "../../model/kinds/http.ts";
import { limits } from "../../model/limits.ts";
import type { Assignment, AttemptEnd } from "../../model/protocol.ts";
import { problemOfJson, reportedDepthMax } from "../../model/strictJson.ts";
import { checkHost, guardedLookup, PrivateAddress } from "../../outbound/addressGuard.ts";
import { isObject, isText, type KindRunner, type Machine } from "./kindRunner.ts";

/** Answers of a service that is there and cannot answer now: the task is tried again. */
const passing = new Set([408, 425, 429]);
const redirects = new Set([301, 302, 303, 307, 308]);

export const httpRunner: KindRunner = {
  name: "http",

  start(assignment, machine, onEnd) {
    const { input } = assignment;
    if (!isHttpInput(input)) return "invalid";
    const { clock } = machine;
    const startedAt = clock.now();
    const abort = new AbortController();
    const end = (how: Pick<AttemptEnd, "outcome"> & Partial<AttemptEnd>) =>
      onEnd({ startedAt, endedAt: clock.now(), ...how });
    const call = new Call(assignment, input, machine, abort.signal);
    void call.run().then(
      (how) => end(abort.signal.aborted ? { outcome: "aborted" } : how),
      (error: unknown) => end(abort.signal.aborted ? { outcome: "aborted" } : ended(error)),
    );
    return { abort: () => abort.abort() };
  },
};

type End = Pick<AttemptEnd, "outcome" | "output" | "error" | "retryAfterMs">;

class Call {
  readonly #assignment: Assignment;
  readonly #input: HttpInput;
  readonly #machine: Machine;
  readonly #signal: AbortSignal;

  constructor(assignment: Assignment, input: HttpInput, machine: Machine, signal: AbortSignal) {
    this.#assignment = assignment;
    this.#input = input;
    this.#machine = machine;
    this.#signal = signal;
  }

  async run(): Promise<End> {
    let url = new URL(this.#input.url);
    let method = methodOf(this.#input);
    for (let followed = 0; ; followed += 1) {
      const answer = await this.#request(url, method);
      const target = redirectOf(answer, url);
      if (target === null) return this.#judge(url, method, answer);
      answer.resume();
      if (target.host !== url.host || target.protocol !== url.protocol)
        throw new FinalFailure(
          `${url.host} redirects to ${target.origin}, which another task may call, but not this one.`,
        );
      if (followed === limits.httpRedirectsMax)
        throw new FinalFailure(`The service redirects more than ${limits.httpRedirectsMax} times.`);
      method = methodAfter(answer.statusCode ?? 0, method);
      url = target;
    }
  }

  /** Resolves when the head of the answer has come. */
  async #request(url: URL, method: string): Promise<IncomingMessage> {
    const { allowsPrivateHttp } = this.#machine;
    if (!allowsPrivateHttp) checkHost(url.hostname);
    const body = method === "GET" || method === "HEAD" ? undefined : this.#body();
    const options: RequestOptions = {
      method,
      headers: this.#headers(body),
      signal: this.#signal,
      agent: false,
      ...(!allowsPrivateHttp && { lookup: guardedLookup }),
    };
    const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
    return new Promise((resolve, reject) => {
      const sent = request(url, options, resolve);
      sent.on("error", reject);
      // A service that changes to another protocol, or ends the talk in another way of its own, gives no answer and no error.
      sent.on("close", () => reject(new Error("The connection was closed before the service had answered.")));
      limitConnecting(sent, url.protocol === "https:" ? "secureConnect" : "connect");
      if (this.#assignment.timeoutMs === null) limitSilence(sent);
      sent.end(body);
    });
  }

  #body(): Buffer | undefined {
    const { body, json } = this.#input;
    const text = json === undefined ? body : JSON.stringify(json);
    return text === undefined ? undefined : Buffer.from(text);
  }

  #headers(body: Buffer | undefined): { [name: string]: string | number } {
    const { secretHeaders, json } = this.#input;
    const headers = { ...this.#input.headers, ...secretHeaders };
    const { task, attempt, traceparent } = this.#assignment;
    const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    const type = json === undefined ? "text/plain; charset=utf-8" : "application/json";
    const defaults = {
      "User-Agent": "outlast",
      // The same in each attempt, so that a service can tell that a request is a repeat.
      "Idempotency-Key": task,
      ...(traceparent !== undefined && { traceparent }),
      ...(body !== undefined && { "Content-Type": type }),
    };
    return {
      ...Object.fromEntries(Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()))),
      ...headers,
      "Outlast-Task": task,
      "Outlast-Attempt": attempt,
      ...(body !== undefined && { "Content-Length": body.length }),
    };
  }

  async #judge(url: URL, method: string, answer: IncomingMessage): Promise<End> {
    const status = answer.statusCode ?? 0;
    const { expect } = this.#input;
    const isExpected = expect === undefined ? status >= 200 && status < 300 : expect.includes(status);
    const bytes = await readBody(answer, isExpected);
    this.#tell(`${method} ${url.origin}${url.pathname}: ${status}, ${bytes.length} bytes\n`);
    if (isExpected) return { outcome: "success", output: outputOf(status, answer, bytes) as unknown as Json };
    if (bytes.length > 0) this.#tell(`${bytes.toString("utf8")}\n`);
    const message = `${url.host} answered ${status}${answer.statusMessage ? ` ${answer.statusMessage}` : ""}.`;
    if (status < 500 && !passing.has(status)) throw new FinalFailure(message);
    const retryAfterMs = retryAfterOf(answer.headers["retry-after"], this.#machine.clock.now());
    return { outcome: "failed", error: { code: "http", message }, ...(retryAfterMs !== null && { retryAfterMs }) };
  }

  #tell(text: string): void {
    void this.#machine.onOutput(this.#assignment, Buffer.from(text));
  }
}

/** A failure after which no other attempt follows. */
class FinalFailure extends Error {
  override readonly name = "FinalFailure";
}

function ended(error: unknown): End {
  if (error instanceof PrivateAddress) {
    const message = `${error.message}. It is when this worker is started with --http-private.`;
    return { outcome: "failed", error: { code: "non-retryable", message } };
  }
  const message = error instanceof Error ? describe(error) : String(error);
  const isFinal = error instanceof FinalFailure;
  return { outcome: "failed", error: { code: isFinal ? "non-retryable" : "http", message } };
}

/** An error of several addresses says nothing by itself. */
function describe(error: Error): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first instanceof Error ? first.message : error.message;
}

function limitConnecting(request: ClientRequest, connected: "secureConnect" | "connect"): void {
  const timer = setTimeout(() => {
    request.destroy(new Error(`There was no connection after ${limits.httpConnectMsMax / 1000} s.`));
  }, limits.httpConnectMsMax);
  request.on("socket", (socket) => socket.once(connected, () => clearTimeout(timer)));
  request.on("close", () => clearTimeout(timer));
}

/** Otherwise a service that never answers, or that vanished with its machine, keeps the slot for ever. */
function limitSilence(request: ClientRequest): void {
  const silenceMs = limits.httpSilenceMsMax;
  let answer: IncomingMessage | null = null;
  request.once("response", (begun) => {
    answer = begun;
  });
  request.setTimeout(silenceMs, () => {
    const message = `The service said nothing for ${silenceMs / 1000} s. A task with a timeoutMs may wait longer.`;
    (answer ?? request).destroy(new Error(message));
  });
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | null {
  const { location } = headers;
  if (!redirects.has(statusCode) || location === undefined) return null;
  return URL.canParse(location, from) ? new URL(location, from) : null;
}

/** See RFC 9110, 15.4: a browser turns a POST into a GET, except where the status forbids it. */
function methodAfter(status: number, method: string): string {
  if (status === 307 || status === 308 || method === "HEAD") return method;
  return "GET";
}

/** The body, up to what an output may hold. Of an answer that means a failure only the beginning is wanted. */
async function readBody(answer: IncomingMessage, mustBeWhole: boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes <= limits.resultBytesMax) continue;
    answer.destroy();
    if (mustBeWhole) throw tooLarge();
    break;
  }
  return Buffer.concat(pieces).subarray(0, limits.resultBytesMax);
}

function outputOf(status: number, { headers }: IncomingMessage, bytes: Buffer): HttpOutput {
  const texts = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
  );
  const output = { status, headers: Object.fromEntries(texts) as Record<string, string>, body: bodyOf(headers, bytes) };
  if (Buffer.byteLength(JSON.stringify(output)) > limits.resultBytesMax) throw tooLarge();
  return output;
}

function bodyOf({ "content-type": type = "" }: IncomingMessage["headers"], bytes: Buffer): Json {
  if (bytes.length === 0) return null;
  const text = bytes.toString("utf8");
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(type)) return text;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw new FinalFailure("The service says that it answers with JSON, and does not.");
  }
  // As text, what an output cannot hold is kept all the same: numbers that are too large to be exact, above all.
  return problemOfJson(value, reportedDepthMax - 1) === null ? value : text;
}

function tooLarge(): FinalFailure {
  const message = `The answer has more than ${limits.resultBytesMax} bytes, which is what an output may have.`;
  return new FinalFailure(message);
}

/** Of a `Retry-After` header, in seconds or as a date; null if there is none that can be read. */
function retryAfterOf(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const delayMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(delayMs) ? null : Math.min(Math.max(0, delayMs), limits.durationMsMax);
}

function isHttpInput(input: Json): input is Json & HttpInput {
  return isObject(input) && isText(input["url"]) && URL.canParse(input["url"]);
}
