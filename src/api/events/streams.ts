/** All open SSE answers of a master: counts them, looks for stalled readers, and ends them when it closes. */
import type { FastifyReply } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Log } from "../../ports/log.ts";
import { everyHeader } from "../http/headers.ts";
import { EventStream, type StreamBounds } from "./eventStream.ts";

/**
 * `worker` streams carry assignments and beats of the master's; `client` streams are pinged from here, and so are `lifeline`s,
 * which carry nothing: their closing shows a standby that this process has gone.
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
  readonly #timer: NodeJS.Timeout;
  #isClosing = false;

  constructor(master: MasterApi, log: Log) {
    this.#master = master;
    this.#log = log;
    this.#timer = setInterval(() => this.#check(), defaults.streamCheckMs);
    this.#timer.unref();
  }

  count(kind: StreamKind): number {
    return this.#open[kind].size;
  }

  /**
   * Makes a stream of an answer. The head is sent with the first message, or once `connect` has succeeded; until then
   * `connect` can still refuse by throwing.
   * @param connect ties the stream to its source and returns how to untie it, which is done exactly once, whoever ends the stream
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
      throw new OutlastError("too-many", `There are ${limits[limit]} streams open already.`, { limit });
    }
    let disconnect: Disconnect | null = null;
    const onStart = () => {
      reply.hijack();
      return everyHeader(this.#master);
    };
    const stream = new EventStream(reply.raw, bounds[kind], onStart, (end) => {
      streams.delete(stream);
      if (end === "stalled" || end === "buffer-full") {
        this.#log.warn("cut the stream of a slow reader", { kind, reason: end, peer: reply.request.ip });
      }
      disconnect?.();
    });
    streams.add(stream);
    try {
      disconnect = await connect(stream);
    } catch (error) {
      streams.delete(stream);
      if (!stream.isStarted) throw error;
      if (!stream.isClosed) this.#log.warn("a stream broke off", { kind, error });
      return stream.destroy();
    }
    // Closed while it was being connected: its end has been told, but there was nothing to untie then.
    if (stream.isClosed) return disconnect();
    stream.start();
    if (this.#isClosing) stream.end();
  }

  /** Ends all streams, each with what was sent on it. */
  close(): void {
    this.#isClosing = true;
    clearInterval(this.#timer);
    for (const stream of this.#all()) stream.end();
  }

  destroy(): void {
    for (const stream of this.#all()) stream.destroy();
  }

  #all(): EventStream[] {
    return streamKinds.flatMap((kind) => [...this.#open[kind]]);
  }

  #check(): void {
    for (const kind of streamKinds) {
      // The beats of the master's own are ping enough.
      for (const stream of this.#open[kind]) stream.check(kind === "worker" ? null : defaults.streamPingMs);
    }
  }
}
