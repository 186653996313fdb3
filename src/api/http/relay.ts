/**
 * What a standby does with everything that only the leader can do: it passes the request on, one hop and no further, its body and
 * the answer as they come. What goes wrong on one side is told on the other at once.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { MasterApi, Subscription } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import { passedOn, relayedHeader, statusOrNull } from "./headers.ts";
import { closeLingering } from "./lingeringClose.ts";

/** Why a request that was passed on has not been answered. */
export interface NoAnswer {
  readonly reason: string;
  /** The leader may have acted on it; false if it cannot have heard of it. */
  readonly isSent: boolean;
}

/** A request that is being passed on. */
interface Passage {
  readonly leader: string;
  /** Its answer has begun, and will not end by itself. */
  isStream: boolean;
  /** Breaks it off on both sides. */
  cut(): void;
}

export class Relay {
  readonly #master: MasterApi;
  readonly #plain = new HttpAgent({ keepAlive: true });
  readonly #secure = new HttpsAgent({ keepAlive: true });
  readonly #passages = new Set<Passage>();
  #watch: Promise<Subscription> | null = null;
  #isClosing = false;
  /** Since the start, by how they ended. */
  readonly counts = { answered: 0, failed: 0 };

  constructor(master: MasterApi) {
    this.#master = master;
  }

  /** Requests that are being passed on at this moment. */
  get openCount(): number {
    return this.#passages.size;
  }

  /**
   * The leader that this request should go to; null if this master is to answer it, or to refuse it.
   * @param waitMs how long an election that is under way may take
   */
  async leaderFor(request: FastifyRequest, waitMs: number): Promise<string | null> {
    // It has come over a standby already: two masters that take each other for the leader must not play ball with it.
    if (request.headers[relayedHeader] !== undefined) return null;
    if (this.#isLeaderMissing()) await this.otherLeader(null, waitMs);
    return this.#leader();
  }

  /**
   * Passes a request on to the leader: to the next one, if it cannot have reached the one that has just died.
   * @returns false if this master is to answer it itself, or to refuse it; true if the reply is out of the framework's hands
   * @throws OutlastError `unavailable` or `not-leader` if no answer came; whether the leader has acted on it is not known then
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

  /** Resolves once another master leads than this one (null for none), as far as is known here, or the time is up. */
  async otherLeader(than: string | null, waitMs: number): Promise<void> {
    const until = performance.now() + waitMs;
    const isThere = () => (than === null ? !this.#isLeaderMissing() : this.#leader() !== than);
    while (!isThere() && !this.#isClosing && performance.now() < until) await sleep(defaults.leaderPollMs);
  }

  /**
   * Passes a request on to this leader. Resolves with null once the answer has begun: the reply is then out of the framework's hands.
   * @param body what was read of the request already; null if nothing was
   * @throws OutlastError `too-many`
   */
  async forward(
    leader: string,
    request: FastifyRequest,
    reply: FastifyReply,
    body: Buffer | null = null,
  ): Promise<NoAnswer | null> {
    if (this.#passages.size >= limits.relaysMax) {
      throw new OutlastError("too-many", "This standby passes on as many requests as it can.", {
        limit: "relaysMax",
        leader,
        hint: "Ask the leader itself.",
      });
    }
    this.#watchLeaders();
    const passage: Passage = { leader, isStream: false, cut: () => {} };
    this.#passages.add(passage);
    // Whoever ends it, it ends with the connection to the client.
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

  toError(asked: string, { reason }: NoAnswer): OutlastError {
    const leader = this.#leader();
    if (leader !== null && leader !== asked) {
      return new OutlastError("not-leader", "Another master leads now.", { leader, hint: "Try again." });
    }
    return new OutlastError("unavailable", "The leader cannot be reached from this standby.", {
      reason,
      hint: "Try again; if the leader has died, another one is about to take its place.",
      ...(leader === null ? {} : { leader }),
    });
  }

  /** Ends what would never end by itself. */
  endStreams(): void {
    this.#isClosing = true;
    for (const passage of this.#passages) if (passage.isStream) passage.cut();
  }

  /** Drops whatever is still under way. */
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

  /** An election is under way. */
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
      const onGone = () => fail("the client has gone");
      passage.cut = () => fail("another master leads now");
      const connecting = setTimeout(() => fail("it takes no connection"), defaults.connectTimeoutMs);
      const onConnected = () => {
        clearTimeout(connecting);
        isSent = true;
        if (body !== null || !hasBody(request)) upstream.end(body ?? undefined);
        else request.raw.pipe(upstream);
      };
      upstream.once("socket", (socket) => (socket.connecting ? socket.once("connect", onConnected) : onConnected()));
      upstream.setTimeout(defaults.requestTimeoutMs, () => fail("it does not answer"));
      // Stays for good: a connection that breaks after the answer is of no interest, and must not be an unhandled error.
      upstream.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      upstream.once("close", () => clearTimeout(connecting));
      reply.raw.once("close", onGone);
      upstream.once("response", (answer) => {
        reply.raw.off("close", onGone);
        request.raw.unpipe(upstream);
        resolve(answer);
      });
      // A client that asks before it sends is told to go on.
      if (body === null && request.headers.expect !== undefined) reply.raw.writeContinue();
    });
  }

  #open(leader: string, request: FastifyRequest, body: Buffer | null): ClientRequest {
    const base = new URL(leader);
    const isSecure = base.protocol === "https:";
    const headers = { ...passedOn(request.raw.headers), [relayedHeader]: "1" };
    // A length without its bytes would make the leader take the next request on this connection for them.
    if (body === null && !hasBody(request)) delete headers["content-length"];
    if (body !== null) headers["content-length"] = body.length;
    const options: RequestOptions = {
      agent: isSecure ? this.#secure : this.#plain,
      method: request.method,
      // As it came: the leader reads it by the same rules.
      path: base.pathname.replace(/\/+$/, "") + request.raw.url,
      headers,
    };
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
      // A reader that sends FIN is gone, even if the connection still stands half open.
      raw.socket?.once("end", () => raw.destroy());
    } else if (!request.raw.complete) {
      // The leader wanted no more of the body.
      raw.setHeader("connection", "close");
      closeLingering(request.raw);
    }
    raw.writeHead(answer.statusCode ?? 502);
    raw.flushHeaders();
    passage.cut = () => {
      // What is no stream ends by itself, and is the old leader's word of what it had committed.
      if (isStream) raw.destroy();
    };
    // Destroys both when one of them breaks: half an answer must not look like a whole one.
    pipeline(answer, raw, () => answer.destroy());
    if (this.#isClosing) passage.cut();
  }

  /** While something is passed on to a leader that another one has followed, nothing more can come of it. */
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
      // This master is not ready yet; the next request tries again.
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
