/** All open event streams of a master: counts them, cuts stalled readers, and ends them at shutdown. */
import type { FastifyReply } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Log } from "../../ports/log.ts";
import type { Grant } from "../auth/grant.ts";
import { everyHeader } from "../http/headers.ts";
import { EventStream, type StreamBounds } from "./eventStream.ts";

/**
 * `worker` streams carry assignments and the master's heartbeats. `client` and `lifeline` streams are pinged from here. A
 * `lifeline` tells other masters of the leader's lease and journal; when it closes, a standby knows that this process is gone.
 */
export type StreamKind = "client" | "worker" | "lifeline";

export const streamKinds: readonly StreamKind[] = ["client", "worker", "lifeline"];

const smallBounds: StreamBounds = {
  bufferBytesMax: limits.subscriberBufferBytesMax,
  stallMsMax: limits.subscriberStallMsMax,
};

const bounds: { readonly [Kind in StreamKind]: StreamBounds } = {
  client: smallBounds,
  worker: { bufferBytesMax: limits.workerStreamBufferBytesMax, stallMsMax: limits.subscriberStallMsMax },
  lifeline: smallBounds,
};

const countLimits = { client: "eventSubscribersMax", worker: "workersMax", lifeline: "livenessStreamsMax" } as const;

type Disconnect = () => void;

export class Streams {
  readonly #open: { readonly [Kind in StreamKind]: Set<EventStream> } = {
    client: new Set(),
    worker: new Set(),
    lifeline: new Set(),
  };
  readonly #master: MasterApi;
  readonly #log: Log;
  readonly #isCurrent: (grant: Grant) => boolean;
  readonly #grants = new Map<EventStream, Grant>();
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  #isClosing = false;

  /** @param isCurrent false once a grant is no longer worth anything: its streams end then */
  constructor(master: MasterApi, log: Log, isCurrent: (grant: Grant) => boolean) {
    this.#master = master;
    this.#log = log;
    this.#isCurrent = isCurrent;
    this.#stopListening = master.principals.onChange(() => this.#endForgotten());
    this.#timer = setInterval(() => this.#check(), defaults.streamCheckMs);
    this.#timer.unref();
  }

  count(kind: StreamKind): number {
    return this.#open[kind].size;
  }

  /**
   * Makes an answer an event stream. The headers are sent with the first message, or when `connect` has succeeded; until then
   * `connect` can refuse by throwing.
   * @param connect connects the stream to its source and returns how to disconnect it, which is called exactly once
   * @throws OutlastError `too-many`, or `unavailable` while closing
   */
  async open(
    reply: FastifyReply,
    kind: StreamKind,
    connect: (stream: EventStream) => Disconnect | Promise<Disconnect>,
  ): Promise<void> {
    if (this.#isClosing) throw new OutlastError("unavailable", "This master is stopping.");
    const streams = this.#open[kind];
    const limit = countLimits[kind];
    if (streams.size >= limits[limit]) {
      throw new OutlastError("too-many", `Too many open streams (${limits[limit]}).`, { limit });
    }
    let disconnect: Disconnect | null = null;
    const onStart = () => {
      reply.hijack();
      return everyHeader(this.#master);
    };
    const stream = new EventStream(reply.raw, bounds[kind], onStart, (end) => {
      streams.delete(stream);
      this.#grants.delete(stream);
      if (end === "stalled" || end === "buffer-full") {
        this.#log.warn("closed the stream of a slow reader", { kind, reason: end, peer: reply.request.ip });
      }
      disconnect?.();
    });
    streams.add(stream);
    const { grant } = reply.request;
    if (grant !== null) this.#grants.set(stream, grant);
    try {
      disconnect = await connect(stream);
    } catch (error) {
      streams.delete(stream);
      this.#grants.delete(stream);
      if (!stream.isStarted) throw error;
      if (!stream.isClosed) this.#log.warn("a stream failed", { kind, error });
      return stream.destroy();
    }
    // It was closed while being connected.
    if (stream.isClosed) return disconnect();
    stream.start();
    if (this.#isClosing) stream.end();
  }

  /** Ends all streams after what was sent on them. */
  close(): void {
    this.#isClosing = true;
    clearInterval(this.#timer);
    this.#stopListening();
    for (const stream of this.#all()) stream.end();
  }

  destroy(): void {
    for (const stream of this.#all()) stream.destroy();
  }

  #all(): EventStream[] {
    return streamKinds.flatMap((kind) => [...this.#open[kind]]);
  }

  /** A user who is removed or changed, or a token that is revoked, must not go on reading. */
  #endForgotten(): void {
    for (const [stream, grant] of [...this.#grants]) if (!this.#isCurrent(grant)) stream.destroy();
  }

  #check(): void {
    // What expires is noticed here.
    this.#endForgotten();
    for (const kind of streamKinds) {
      // The master's heartbeats serve as pings there.
      for (const stream of this.#open[kind]) stream.check(kind === "worker" ? null : defaults.streamPingMs);
    }
  }
}
