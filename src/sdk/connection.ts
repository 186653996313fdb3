/** One call over several masters: tries each address, follows hints to the leader, waits between rounds, gives up in the end. */
import { Bearer, mayBeRefused, type TokenSource } from "../model/bearer.ts";
import { type ErrorCode, type ErrorDetails, errorStatus, OutlastError, wrongScheme } from "../model/errors.ts";
import { defaults, limits } from "../model/limits.ts";
import { backoffMs, pause } from "./backoff.ts";
import { type BlobSource, toBody } from "./blobSource.ts";
import type { ReadOptions } from "./callOptions.ts";
import { Deadline } from "./deadline.ts";
import type { Fetch, FetchAnswer } from "./fetch.ts";
import { masterAddress } from "./masterAddress.ts";

export interface ConnectionOptions {
  /**
   * Addresses of masters, such as `http://127.0.0.1:7070`, as a list or separated by commas. The default is what
   * `OUTLAST_MASTERS` says, or a master on this machine.
   */
  readonly masters?: string | readonly string[];
  /**
   * Sent as a bearer token. The default is what `OUTLAST_TOKEN` says; null for none. A function, such as one that reads a file, is
   * asked again each time that masters have refused what it gave.
   */
  readonly token?: TokenSource;
  /** How long a call goes on trying while no master can answer, in ms; 0 tries each master once. */
  readonly retryForMs?: number;
  /** Told before each wait between two rounds of tries. */
  readonly onRetry?: (retry: { readonly error: OutlastError; readonly waitMs: number }) => void;
  /** Another `fetch`, for proxies and tests. */
  readonly fetch?: Fetch;
}

export interface Call {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Path and query below the master's base URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
  /** Instead of JSON: a file. */
  readonly content?: BlobSource;
  readonly signal?: AbortSignal | undefined;
  /** Instead of the connection's own `retryForMs`. */
  readonly retryForMs?: number | undefined;
  /** Told of each failed try that may have worked all the same: only its answer was lost. */
  readonly onFailedTry?: () => void;
}

/** An answer whose body is still to be read. Whoever has it must call `close`. */
export interface OpenAnswer {
  readonly response: FetchAnswer;
  close(): void;
}

/** An error that may go away by itself, on this master or another: worth another try. */
class Retryable extends Error {
  readonly error: OutlastError;
  /** Base URL of the leader, if the master named one. */
  readonly leader: string | null;
  /** What the master asked us to wait, in ms. */
  readonly waitMs: number;

  constructor(error: OutlastError, leader: string | null, waitMs: number) {
    super(error.message);
    this.error = error;
    this.leader = leader;
    this.waitMs = waitMs;
  }
}

/** A master of the past has answered: it may not know what has been committed since. */
class Outdated extends Error {
  readonly epoch: number;

  constructor(epoch: number) {
    super(`This master knows of epoch ${epoch} only.`);
    this.epoch = epoch;
  }
}

/** What is to be uploaded cannot be read: the cause is the caller's own error. */
class Unreadable extends Error {}

export class Connection {
  readonly masters: readonly string[];
  readonly #bearer: Bearer;
  readonly #retryForMs: number;
  readonly #onRetry: ConnectionOptions["onRetry"];
  readonly #fetch: Fetch;
  /** The master that answered last is asked first. */
  #preferred: string;
  /** The highest epoch that a master has shown. */
  #epochMax = 0;

  constructor(options: ConnectionOptions = {}) {
    const given =
      options.masters ?? fromEnvironment("OUTLAST_MASTERS") ?? `http://${defaults.address}:${defaults.port}`;
    this.masters = [...new Set((typeof given === "string" ? given.split(",") : given).map(toBaseUrl))];
    const [first] = this.masters;
    if (first === undefined) throw new OutlastError("bad-request", "The address of at least one master is needed.");
    this.#preferred = first;
    this.#bearer = new Bearer(options.token === undefined ? (fromEnvironment("OUTLAST_TOKEN") ?? null) : options.token);
    this.#retryForMs = options.retryForMs ?? defaults.clientRetryForMs;
    this.#onRetry = options.onRetry;
    this.#fetch = options.fetch ?? fetch;
  }

  /** Makes the call and reads the whole answer as JSON. */
  async json<Body>(call: Call): Promise<Body> {
    return this.#overMasters(call, async (address, deadline) => {
      const response = await this.#try(address, call, deadline);
      return (await response.json()) as Body;
    });
  }

  /** Makes a call that changes something. An error that only says that it is done already is none after a try that may have done it. */
  async change(call: Call, isDone: (error: OutlastError) => boolean): Promise<void> {
    let isUncertain = false;
    const onFailedTry = () => {
      isUncertain = true;
    };
    try {
      await this.json({ ...call, onFailedTry });
    } catch (error) {
      if (!isUncertain || !(error instanceof OutlastError) || !isDone(error)) throw error;
    }
  }

  /** Removes what stands at this path. */
  remove(path: string, signal: AbortSignal | undefined): Promise<void> {
    return this.change({ method: "DELETE", path, signal }, isGone);
  }

  /** Makes the call and reads the whole answer as bytes. */
  async bytes(call: Call): Promise<{ readonly headers: FetchAnswer["headers"]; readonly bytes: Uint8Array }> {
    return this.#overMasters(call, async (address, deadline) => {
      const response = await this.#try(address, call, deadline);
      return { headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
    });
  }

  /** Makes the call and hands over the answer once its head is there; the body may then last for ever. */
  async open(call: Call): Promise<OpenAnswer> {
    return this.#overMasters(call, async (address, deadline) => {
      const response = await this.#try(address, call, deadline);
      return { response, close: deadline.lift() };
    });
  }

  async #overMasters<Result>(call: Call, attempt: Attempt<Result>): Promise<Result> {
    for (const [name, value] of Object.entries(this.#headersOf(call))) checkHeader(name, value);
    const retryForMs = call.retryForMs ?? this.#retryForMs;
    const startedAt = performance.now();
    let mayBeDone = false;
    const onFailedTry = () => {
      mayBeDone = call.method !== "GET";
      call.onFailedTry?.();
    };
    for (let round = 0; ; round++) {
      const outcome = await this.#oneRound({ ...call, onFailedTry }, round, attempt);
      if (outcome.isDone) return outcome.result;
      const waitMs = Math.max(backoffMs(round), outcome.failure.waitMs);
      if (performance.now() - startedAt + waitMs > retryForMs)
        throw mayBeDone ? asUncertain(outcome.failure.error) : outcome.failure.error;
      this.#onRetry?.({ error: outcome.failure.error, waitMs });
      await pause(waitMs, call.signal);
    }
  }

  /** Asks each master once, the one that answered last first, and a leader that one of them names right after it. */
  async #oneRound<Result>(
    call: Call,
    round: number,
    attempt: Attempt<Result>,
  ): Promise<{ isDone: true; result: Result } | { isDone: false; failure: Retryable }> {
    const waiting = [this.#preferred, ...this.masters.filter((address) => address !== this.#preferred)];
    const tried = new Set<string>();
    let failure: Retryable | null = null;
    let outdated: { readonly address: string; readonly epoch: number } | null = null;
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      if (tried.has(address)) continue;
      tried.add(address);
      const deadline = new Deadline(call.signal, this.#patienceMs(call, round));
      try {
        const result = await attempt(address, deadline);
        this.#preferred = address;
        return { isDone: true, result };
      } catch (error) {
        call.signal?.throwIfAborted();
        if (error instanceof OutlastError) throw error;
        if (error instanceof Unreadable) throw error.cause;
        if (error instanceof Outdated) {
          outdated = { address, epoch: error.epoch };
          continue;
        }
        if (mayHaveWorked(error)) call.onFailedTry?.();
        const retryable = error instanceof Retryable ? error : unreachable(address, error, this.masters);
        // A master that answered tells more than one that did not.
        if (failure === null || retryable.error.details["reason"] !== "unreachable") failure = retryable;
        if (retryable.leader !== null && !tried.has(retryable.leader)) waiting.unshift(retryable.leader);
      } finally {
        deadline.clear();
      }
    }
    if (outdated !== null) {
      // There is no better one, or the masters work on another store by now: it is taken as it is.
      this.#epochMax = outdated.epoch;
      this.#preferred = outdated.address;
      return this.#oneRound(call, round, attempt);
    }
    // There is at least one master, so at least one failure by now.
    if (failure === null) throw new OutlastError("bad-request", "The address of at least one master is needed.");
    return { isDone: false, failure };
  }

  /** A master that hangs must not keep a call from the others for long; one alone is waited for, and so is a long body. */
  #patienceMs(call: Call, round: number): number {
    const isShort = call.content === undefined && (call.body?.length ?? 0) <= limits.stringBytesMax;
    if (this.masters.length === 1 || !isShort) return defaults.clientTryMs;
    return Math.min(defaults.clientTryMs, defaults.clientPatienceMs * 2 ** Math.min(round, 16));
  }

  #headersOf(call: Call): Readonly<Record<string, string>> {
    const headers: Record<string, string> = { accept: "application/json", ...call.headers };
    if (call.body !== undefined) headers["content-type"] ??= "application/json";
    if (call.content !== undefined) headers["content-type"] ??= "application/octet-stream";
    if (this.#bearer.token !== null) headers["authorization"] = `Bearer ${this.#bearer.token}`;
    return headers;
  }

  async #try(address: string, call: Call, deadline: Deadline, mayRenew = true): Promise<FetchAnswer> {
    const { token } = this.#bearer;
    const unreadable: unknown[] = [];
    const listener = {
      onProgress: () => deadline.extend(),
      onUnreadable: (error: unknown) => void unreadable.push(error),
    };
    const response = await this.#fetch(`${address}${call.path}`, {
      method: call.method,
      headers: this.#headersOf(call),
      signal: deadline.signal,
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.content === undefined ? {} : toBody(call.content, listener)),
    }).catch((error: unknown) => {
      throw unreadable.length === 0 ? error : new Unreadable("", { cause: unreadable[0] });
    });
    deadline.extend();
    if (mayRenew && mayBeRefused(response.status) && this.#bearer.renew(token)) {
      void response.body?.cancel();
      return this.#try(address, call, deadline, false);
    }
    this.#checkEpoch(call, response);
    if (response.ok) return response;
    const error = toError(response.status, await response.text());
    // A leader is named by the address that it has among masters, where somebody else may be from here: ask the others again.
    if (error.details["reason"] === "no-master" && !this.masters.includes(address)) throw new Retryable(error, null, 0);
    // 408: the master has not heard all of it, so the way there is slow or broken.
    if (![408, 429, 502, 503, 504].includes(response.status)) throw error;
    const { leader } = error.details;
    // The pauses of our own are gentle enough for a store in trouble, and short enough for an election.
    const isPatient = error.code === "not-leader" || error.code === "unavailable";
    const retryAfterSeconds = isPatient ? 0 : Number(response.headers.get("retry-after") ?? 0);
    throw new Retryable(
      error,
      typeof leader === "string" && URL.canParse(leader) ? toBaseUrl(leader) : null,
      Math.min(Number.isFinite(retryAfterSeconds) ? retryAfterSeconds * 1000 : 0, defaults.clientBackoffMaxMs),
    );
  }

  /**
   * Whoever has once seen a newer epoch is not told older news: a leader that was deposed while it stood still may answer before it
   * finds out. What it answers to a change is the truth all the same, for it cannot commit any more.
   */
  #checkEpoch(call: Call, response: FetchAnswer): void {
    const epoch = Number(response.headers.get("x-outlast-epoch") ?? 0);
    // 0 is a master that is still starting.
    if (!Number.isSafeInteger(epoch) || epoch === 0) return;
    if (epoch >= this.#epochMax) this.#epochMax = epoch;
    else if (call.method === "GET") {
      void response.body?.cancel();
      throw new Outdated(epoch);
    }
  }
}

/** That it is not there, as a master says it: another program may answer with the same status. */
function isGone({ code, details }: OutlastError): boolean {
  return code === "not-found" && details["reason"] !== "no-master";
}

/** The answer to a change may be all that was lost. */
function asUncertain({ code, message, details }: OutlastError): OutlastError {
  return new OutlastError(code, message, { ...details, mayBeDone: true });
}

/** False only where no master can have taken the request. */
function mayHaveWorked(error: unknown): boolean {
  if (error instanceof Retryable) return error.error.code !== "too-many";
  // The global `fetch` hides it in the cause, that of commands does not.
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: { readonly code?: unknown } };
  return ![code, cause?.code].some((each) => unsentCodes.includes(String(each))) && !isOfCertificate(error);
}

/** No connection came about, or none over TLS. */
const unsentCodes = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER"];

type Attempt<Result> = (address: string, deadline: Deadline) => Promise<Result>;

/** As `fetch` takes them; what it refuses would look as if no master answered. @throws OutlastError `bad-request` */
function checkHeader(name: string, value: string): void {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value.trim())) return;
  const what = { "idempotency-key": "A key", authorization: "The token" }[name] ?? `The header ${name}`;
  throw new OutlastError("bad-request", `${what} has a character that no request can carry.`, {
    path: `/${name}`,
    hint: "Use printable ASCII characters.",
  });
}

/** The base URL of a master. @throws OutlastError `bad-request` */
export function toBaseUrl(address: string): string {
  const url = masterAddress(address);
  if (url !== null) return url;
  throw new OutlastError("bad-request", `${JSON.stringify(address)} is not the address of a master.`, {
    hint: "An address looks like http://127.0.0.1:7070.",
  });
}

/** A variable of the environment that is set and not empty; undefined where there is no environment, as in browsers. */
function fromEnvironment(name: string): string | undefined {
  const value = typeof process === "undefined" ? undefined : process.env[name];
  return value === "" ? undefined : value;
}

function unreachable(address: string, error: unknown, masters: readonly string[]): Retryable {
  const text = causeText(error);
  const { message, hint } = (isOfCertificate(error)
    ? {
        message: `The certificate of ${address} is not trusted here: ${text}.`,
        hint: "Name its authority with --tls-ca (in a program: NODE_EXTRA_CA_CERTS), and the master by a name that its certificate has.",
      }
    : wrongScheme(address, error)) ?? {
    message: `No master answers at ${masters.join(", ")}.`,
    hint: "Start one on this machine with `outlast up`, or give its address with --masters or OUTLAST_MASTERS.",
  };
  const details = { reason: "unreachable", cause: `${address}: ${text}`, hint };
  return new Retryable(new OutlastError("unavailable", message, details), null, 0);
}

/** By the codes of Node and OpenSSL, such as SELF_SIGNED_CERT_IN_CHAIN. */
function isOfCertificate(error: unknown): boolean {
  const { code = "", cause } = error as { code?: string; cause?: unknown };
  if (/CERT|VERIFY|ISSUER/.test(code)) return true;
  return cause instanceof Error && isOfCertificate(cause);
}

/** `fetch failed` tells nothing; what it failed on is in the cause. */
function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return (cause as { code?: string }).code ?? cause.message;
  return error.message;
}

function toError(status: number, text: string): OutlastError {
  const parsed = parseErrorBody(text);
  if (parsed !== null) return parsed;
  const code =
    (Object.keys(errorStatus) as ErrorCode[]).find((known) => errorStatus[known] === status) ??
    (status >= 500 ? "unavailable" : "bad-request");
  return new OutlastError(code, `The answer (HTTP ${status}) is not from a master of Outlast.`, {
    reason: "no-master",
    hint: "Another program may be listening at that address, or a proxy may be in between.",
  });
}

function parseErrorBody(text: string): OutlastError | null {
  try {
    const body = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } & ErrorDetails };
    if (typeof body.error?.code !== "string" || typeof body.error.message !== "string") return null;
    const { code, message, ...details } = body.error;
    return new OutlastError(Object.hasOwn(errorStatus, code) ? (code as ErrorCode) : "internal", message, details);
  } catch {
    return null;
  }
}

/** The part of a read's URL that says how old its answer may be. */
export function consistency({ consistent }: ReadOptions): string {
  return consistent === true ? "?consistent=true" : "";
}
