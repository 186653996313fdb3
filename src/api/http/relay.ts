/**
 * A standby relays requests that only the leader can answer: one hop, with body and answer streamed. If one side fails, the other
 * side is closed at once.
 */

import { once } from "node:events";
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { pipeline } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { MasterApi, Subscription } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { ShowCertificate } from "../../ports/transport.ts";
import { passedOn, relayedClientHeader, relayedHeader, statusOrNull } from "./headers.ts";
import { closeLingering } from "./lingeringClose.ts";

/** Why a relayed request was not answered. */
export interface NoAnswer {
  readonly reason: string;
  /** True if the leader may have processed it; false if it cannot have received it. */
  readonly isSent: boolean;
}

/** A request that is being relayed. */
interface Passage {
  readonly leader: string;
  /** True for an answer that has begun and is an event stream. */
  isStream: boolean;
  /** Closes it on both sides. */
  cut(): void;
}

export class Relay {
  readonly #master: MasterApi;
  readonly #showCertificate: ShowCertificate;
  readonly #plain = new HttpAgent({ keepAlive: true });
  readonly #secure = new HttpsAgent({ keepAlive: true });
  readonly #passages = new Set<Passage>();
  #watch: Promise<Subscription> | null = null;
  #isClosing = false;
  /** Requests since the start, by result. */
  readonly counts = { answered: 0, failed: 0 };

  constructor(master: MasterApi, showCertificate: ShowCertificate) {
    this.#master = master;
    this.#showCertificate = showCertificate;
  }

  /** Requests that are being relayed at this moment. */
  get openCount(): number {
    return this.#passages.size;
  }

  /**
   * The leader that this request must go to; null if this master answers or refuses it itself.
   * @param waitMs how long to wait for an election in progress
   */
  async leaderFor(request: FastifyRequest, waitMs: number): Promise<string | null> {
    // Already relayed once: two masters that each believe the other leads must not send it back and forth.
    if (request.headers[relayedHeader] !== undefined) return null;
    if (this.#isLeaderMissing()) await this.otherLeader(null, waitMs);
    return this.#leader();
  }

  /**
   * Relays a request to the leader, and to the next leader if the first cannot have received it.
   * @returns false if this master answers or refuses it itself; true if the reply is being relayed
   * @throws OutlastError `unavailable` or `not-leader` if no answer came; the leader may have processed the request
   */
  async pass(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    let leader = await this.leaderFor(request, defaults.electionWaitMs);
    while (leader !== null) {
      const failure = await this.forward(leader, request, reply);
      if (failure === null) return true;
      if (!failure.isSent) await this.otherLeader(leader, defaults.electionWaitMs);
      const next = this.#leader();
      if (failure.isSent || next === leader || reply.raw.closed) throw this.toError(leader, failure);
      leader = next;
    }
    return false;
  }

  /** Resolves when a master other than `than` (null for none) is known to lead, or the time is up. */
  async otherLeader(than: string | null, waitMs: number): Promise<void> {
    const until = performance.now() + waitMs;
    const isThere = () => (than === null ? !this.#isLeaderMissing() : this.#leader() !== than);
    while (!isThere() && !this.#isClosing && performance.now() < until) await sleep(defaults.leaderPollMs);
  }

  /**
   * Relays a request to this leader. Resolves with null when the answer has begun; it is then streamed without the framework.
   * @param body the body, if it has been read already; null if not
   * @throws OutlastError `too-many`
   */
  async forward(
    leader: string,
    request: FastifyRequest,
    reply: FastifyReply,
    body: Buffer | null = null,
  ): Promise<NoAnswer | null> {
    if (this.#passages.size >= limits.relaysMax) {
      throw new OutlastError("too-many", "Too many relayed requests on this standby.", {
        limit: "relaysMax",
        leader,
        hint: "Send the request to the leader itself.",
      });
    }
    this.#watchLeaders();
    const passage: Passage = { leader, isStream: false, cut: () => {} };
    this.#passages.add(passage);
    // It always ends with the connection to the client.
    reply.raw.once("close", () => this.#passages.delete(passage));
    const answer = await this.#ask(leader, request, reply, body, passage);
    if ("reason" in answer) {
      this.counts.failed += 1;
      this.#passages.delete(passage);
      return answer;
    }
    this.counts.answered += 1;
    this.#answer(answer, request, reply, passage);
    return null;
  }

  /** A call of this master's own to the leader. @returns the body of the answer, whatever its status */
  async callLeader(leader: string, path: string, headers: OutgoingHttpHeaders): Promise<string> {
    const url = new URL(leader.replace(/\/+$/, "") + path);
    const isSecure = url.protocol === "https:";
    const options: RequestOptions = {
      method: "POST",
      headers: { ...headers, [relayedHeader]: "1", "content-length": 0 },
      agent: isSecure ? this.#secure : this.#plain,
      signal: AbortSignal.timeout(defaults.requestTimeoutMs),
      ...(isSecure && this.#showCertificate()),
    };
    const request = isSecure ? httpsRequest(url, options) : httpRequest(url, options);
    const answering = once(request, "response") as Promise<[IncomingMessage]>;
    request.end();
    const [answer] = await answering;
    return text(answer);
  }

  toError(asked: string, { reason }: NoAnswer): OutlastError {
    const leader = this.#leader();
    if (leader !== null && leader !== asked) {
      return new OutlastError("not-leader", "Another master leads now.", { leader, hint: "Try again." });
    }
    return new OutlastError("unavailable", "The leader cannot be reached from this standby.", {
      reason,
      hint: "Try again. If the leader has died, another master is about to take over.",
      ...(leader === null ? {} : { leader }),
    });
  }

  /** Ends relayed event streams, which do not end by themselves. */
  endStreams(): void {
    this.#isClosing = true;
    for (const passage of this.#passages) if (passage.isStream) passage.cut();
  }

  /** Closes all connections to leaders. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
    this.#watch?.then((subscription) => subscription.close()).catch(() => {});
  }

  #leader(): string | null {
    const status = statusOrNull(this.#master);
    if (status === null || status.role === "leader" || status.leader === status.address) return null;
    return status.leader;
  }

  /** True during an election. */
  #isLeaderMissing(): boolean {
    const status = statusOrNull(this.#master);
    return status !== null && status.role !== "leader" && status.role !== "stopping" && this.#leader() === null;
  }

  #ask(
    leader: string,
    request: FastifyRequest,
    reply: FastifyReply,
    body: Buffer | null,
    passage: Passage,
  ): Promise<IncomingMessage | NoAnswer> {
    return new Promise((resolve) => {
      const upstream = this.#open(leader, request, body);
      let isSent = false;
      const fail = (reason: string) => {
        request.raw.unpipe(upstream);
        upstream.destroy();
        resolve({ reason, isSent });
      };
      const onGone = () => fail("the client has disconnected");
      passage.cut = () => fail("another master leads now");
      const connecting = setTimeout(() => fail("no connection within the time limit"), defaults.connectTimeoutMs);
      const onConnected = () => {
        clearTimeout(connecting);
        isSent = true;
        if (body !== null || !hasBody(request)) upstream.end(body ?? undefined);
        else request.raw.pipe(upstream);
      };
      upstream.once("socket", (socket) => (socket.connecting ? socket.once("connect", onConnected) : onConnected()));
      upstream.setTimeout(defaults.requestTimeoutMs, () => fail("no answer within the time limit"));
      // This listener must stay: an error after the answer would be unhandled.
      upstream.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      upstream.once("close", () => clearTimeout(connecting));
      reply.raw.once("close", onGone);
      upstream.once("response", (answer) => {
        reply.raw.off("close", onGone);
        request.raw.unpipe(upstream);
        resolve(answer);
      });
      // Answers `Expect: 100-continue`.
      if (body === null && request.headers.expect !== undefined) reply.raw.writeContinue();
    });
  }

  #open(leader: string, request: FastifyRequest, body: Buffer | null): ClientRequest {
    const base = new URL(leader);
    const isSecure = base.protocol === "https:";
    const headers: OutgoingHttpHeaders = {
      ...passedOn(request.raw.headers),
      [relayedHeader]: request.protocol === "https" ? "https" : "1",
    };
    if (request.ip !== undefined) headers[relayedClientHeader] = request.ip;
    // With a content-length but no body, the leader would read the next request on this connection as the body.
    if (body === null && !hasBody(request)) delete headers["content-length"];
    if (body !== null) headers["content-length"] = body.length;
    const options: RequestOptions = {
      agent: isSecure ? this.#secure : this.#plain,
      method: request.method,
      // Unchanged: the leader parses it by the same rules.
      path: base.pathname.replace(/\/+$/, "") + request.raw.url,
      headers,
    };
    // The leader's certificate has its own name, not the one in the request's `Host`.
    if (isSecure)
      Object.assign(options, this.#showCertificate(), { servername: isIP(bareHost(base)) === 0 ? base.hostname : "" });
    return isSecure ? httpsRequest(base, options) : httpRequest(base, options);
  }

  #answer(answer: IncomingMessage, request: FastifyRequest, reply: FastifyReply, passage: Passage): void {
    const isStream = String(answer.headers["content-type"] ?? "").startsWith("text/event-stream");
    passage.isStream = isStream;
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(passedOn(answer.headers))) {
      if (value !== undefined) raw.setHeader(name, value);
    }
    if (isStream) {
      answer.setTimeout(0);
      raw.setHeader("connection", "close");
      // A reader that sends FIN is gone, even if the connection is still half open.
      raw.socket?.once("end", () => raw.destroy());
    } else if (!request.raw.complete) {
      // The leader has answered without reading the whole body.
      raw.setHeader("connection", "close");
      closeLingering(request.raw);
    }
    raw.writeHead(answer.statusCode ?? 502);
    raw.flushHeaders();
    passage.cut = () => {
      // Other answers end by themselves, and tell what the old leader had committed.
      if (isStream) raw.destroy();
    };
    // Destroys both when one fails: an incomplete answer must not look complete.
    pipeline(answer, raw, () => answer.destroy());
    if (this.#isClosing) passage.cut();
  }

  /** Watches for new leaders: streams that are relayed to an old leader are closed. */
  #watchLeaders(): void {
    if (this.#watch !== null) return;
    this.#watch = this.#master.changes(
      null,
      (batch) => {
        for (const write of batch.writes) if (write.kind === "marker") this.#cutOthers(write.address);
      },
      () => this.#cutOthers(this.#leader()),
    );
    this.#watch.catch(() => {
      // This master is not ready yet. The next request tries again.
      this.#watch = null;
    });
  }

  #cutOthers(leader: string | null): void {
    for (const passage of this.#passages) if (passage.leader !== leader) passage.cut();
  }
}

function hasBody({ method, headers }: FastifyRequest): boolean {
  if (method === "GET" || method === "HEAD") return false;
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** Without the brackets of an IPv6 address. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
