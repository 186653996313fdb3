/** A link that can be hurt: a TCP proxy which cuts, holds, slows or drips what passes through it. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * cut   connections are reset, new ones refused
 * mute  what the client sends stays here until the trouble is over; `deaf` the same for what the server sends
 * slow  every piece is held for so long; `drip`: so many bytes a second
 */
export type LinkTrouble =
  | { readonly kind: "cut" | "mute" | "deaf" }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "drip"; readonly bytesPerSecond: number };

type Direction = "up" | "down";

const dripTickMs = 50;
/** Another program may sit on the port for a moment when the link opens again. */
const listenAgainMs = 100;

export interface ProxyOptions {
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** Where connections lead. */
  readonly target: { readonly host: string; readonly port: number };
  /**
   * Texts that the server sends, and what arrives instead: the address of each master becomes that of the link to it, so that
   * a hint does not lead past the links. Both must be of the same length: nothing else of a message may change.
   */
  readonly renamed?: ReadonlyMap<string, string>;
}

export class ChaosProxy {
  readonly #options: ProxyOptions;
  readonly #pairs = new Set<Pair>();
  #server: Server | null = null;
  #trouble: LinkTrouble | null = null;
  #isClosed = false;

  constructor(options: ProxyOptions) {
    for (const [from, to] of options.renamed ?? []) {
      if (from.length !== to.length) throw new Error(`${from} and ${to} differ in length.`);
    }
    this.#options = options;
  }

  get trouble(): LinkTrouble | null {
    return this.#trouble;
  }

  /** @throws Error `EADDRINUSE` if another program has the port: it would never become free */
  async open(): Promise<void> {
    await this.#listen(false);
  }

  /** From now on the link is like this; null heals it. */
  async set(trouble: LinkTrouble | null): Promise<void> {
    this.#trouble = trouble;
    if (trouble?.kind === "cut") {
      for (const pair of this.#pairs) pair.reset();
      await this.#stopListening();
      return;
    }
    for (const pair of this.#pairs) pair.onTrouble();
    if (this.#server === null && !this.#isClosed) await this.#listen(true);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const pair of this.#pairs) pair.reset();
    await this.#stopListening();
  }

  async #listen(mayWait: boolean): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server = server;
    for (;;) {
      try {
        server.listen(this.#options.port, this.#options.host);
        await once(server, "listening");
        break;
      } catch (error) {
        if (!mayWait || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
        await new Promise((resolve) => setTimeout(resolve, listenAgainMs));
      }
    }
    server.on("error", () => undefined);
    // It may have been cut or closed again while it waited for its port.
    if (this.#server !== server || this.#isClosed) server.close();
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server?.listening === true) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const pair = new Pair(
      client,
      this.#options,
      () => this.#trouble,
      () => this.#pairs.delete(pair),
    );
    this.#pairs.add(pair);
  }
}

/** One connection through the link. */
class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pumps: readonly Pump[];
  readonly #onEnd: () => void;

  constructor(client: Socket, options: ProxyOptions, trouble: () => LinkTrouble | null, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#client = client;
    this.#server = connect({ ...options.target, allowHalfOpen: true, noDelay: true });
    const renames = [...(options.renamed ?? [])].map(([from, to]) => [Buffer.from(from), Buffer.from(to)] as const);
    this.#pumps = [
      new Pump("up", client, this.#server, trouble, []),
      new Pump("down", this.#server, client, trouble, renames),
    ];
    for (const socket of [client, this.#server]) {
      // A reset on one side is a reset on the other: a refused connection must not look like one that was closed in peace.
      socket.on("error", () => this.reset());
      socket.on("close", (hadError) => (hadError ? this.reset() : this.#noteClosed()));
    }
  }

  reset(): void {
    for (const pump of this.#pumps) pump.stop();
    for (const socket of [this.#client, this.#server]) {
      if (socket.destroyed) continue;
      // libuv refuses to reset what is being shut down; Node (26.10) then takes it for closed, and waits for it for ever at its exit.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.#onEnd();
  }

  onTrouble(): void {
    for (const pump of this.#pumps) pump.wake();
  }

  #noteClosed(): void {
    if (this.#client.destroyed && this.#server.destroyed) this.#onEnd();
  }
}

/** One direction of one connection: piece by piece, each when the trouble of the moment lets it through. */
class Pump {
  readonly #direction: Direction;
  readonly #sink: Socket;
  readonly #trouble: () => LinkTrouble | null;
  readonly #renames: readonly (readonly [Buffer, Buffer])[];
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(
    direction: Direction,
    source: Socket,
    sink: Socket,
    trouble: () => LinkTrouble | null,
    renames: readonly (readonly [Buffer, Buffer])[],
  ) {
    this.#direction = direction;
    this.#sink = sink;
    this.#trouble = trouble;
    this.#renames = renames;
    source.on("data", (piece: Buffer) => {
      source.pause();
      void this.#pass(piece).then(() => source.resume());
    });
    source.on("end", () => {
      void this.#untilOpen().then(() => {
        if (!this.#isStopped) sink.end();
      });
    });
  }

  /** The trouble has changed. */
  wake(): void {
    this.#wake();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  async #pass(piece: Buffer): Promise<void> {
    await this.#untilOpen();
    const trouble = this.#trouble();
    if (trouble?.kind === "slow") await this.#sleep(trouble.ms);
    // A silence may have begun meanwhile.
    await this.#untilOpen();
    for (const [from, to] of this.#renames) rename(piece, from, to);
    await this.#write(piece);
  }

  async #write(piece: Buffer): Promise<void> {
    let rest = piece;
    while (rest.length > 0 && !this.#isStopped && !this.#sink.destroyed) {
      const trouble = this.#trouble();
      const count =
        trouble?.kind === "drip" ? Math.max(1, Math.floor((trouble.bytesPerSecond * dripTickMs) / 1000)) : rest.length;
      if (!this.#sink.write(rest.subarray(0, count))) await this.#drained();
      rest = rest.subarray(count);
      if (rest.length > 0) await this.#sleep(dripTickMs);
      await this.#untilOpen();
    }
  }

  async #untilOpen(): Promise<void> {
    const held = this.#direction === "up" ? "mute" : "deaf";
    while (this.#trouble()?.kind === held && !this.#isStopped) await this.#changed();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#sink.once("drain", resolve);
      this.#sink.once("close", resolve);
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function rename(piece: Buffer, from: Buffer, to: Buffer): void {
  for (let at = piece.indexOf(from); at !== -1; at = piece.indexOf(from, at + to.length)) to.copy(piece, at);
}
