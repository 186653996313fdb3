/** Plays cases against a master, and writes down what came back. It judges nothing. */
import type { Answer } from "./answers.ts";
import { type Received, Wire } from "./rawConnection.ts";
import { type AwaitStep, type Case, fill, type RawStep, type RequestStep, type StreamStep, toBytes } from "./steps.ts";

/** What one step has brought. */
export interface Observation {
  readonly step: number;
  readonly kind: "request" | "raw" | "stream" | "await";
  readonly method: string;
  readonly path: string;
  /** By the documents this must have been refused. */
  readonly mustBeRefused: boolean;
  readonly received: Received;
  /** For `raw`: how many more answers had to come. */
  readonly missing?: number;
}

export interface World {
  readonly url: URL;
  readonly token: string | null;
  /** What the cases before have learned: the player reads and adds. */
  readonly names: Map<string, string>;
}

/** Whoever sent a whole request gets an answer within this, however busy the machine. */
const answerWaitMs = 20_000;
/** After bytes that may be anything: silence of this length is an answer too. */
const silenceMs = 400;
const awaitMs = 2_000;
const slowReadEveryMs = 60;

export class Player {
  readonly #world: World;
  readonly #names: Map<string, string>;
  readonly #observations: Observation[] = [];
  readonly #streams = new Map<string, Wire>();
  readonly #timers: NodeJS.Timeout[] = [];
  #wire: Wire | null = null;
  /** Some call of this case has been refused: what was to come of it need not come. */
  #isRefused = false;

  private constructor(world: World) {
    this.#world = world;
    this.#names = new Map(world.names);
    this.#names.set("auth", world.token === null ? "" : `Authorization: Bearer ${world.token}\r\n`);
  }

  static async play(world: World, { steps }: Case): Promise<readonly Observation[]> {
    const player = new Player(world);
    try {
      for (const [index, step] of steps.entries()) {
        switch (step.kind) {
          case "request":
            await player.#request(index, step);
            break;
          case "raw":
            await player.#raw(index, step);
            break;
          case "stream":
            await player.#stream(index, step);
            break;
          case "await":
            await player.#await(index, step);
            break;
          case "close":
            player.#closeStream(step.name, step.how);
            break;
          case "pause":
            await pause(step.ms);
            break;
          default:
            step satisfies never;
        }
      }
    } finally {
      for (const timer of player.#timers) clearInterval(timer);
      for (const wire of player.#streams.values()) wire.close();
      player.#wire?.close();
    }
    return player.#observations;
  }

  async #request(index: number, step: RequestStep): Promise<void> {
    const { method } = step;
    const path = fill(step.path, this.#names);
    const bytes = this.#encode(step);
    let received = await this.#exchange(method, bytes);
    // The other side may close an idle connection at any moment: only on a fresh one is that an answer.
    if (received.kind === "closed" && !received.isCut) {
      this.#wire = null;
      received = await this.#exchange(method, bytes);
    }
    const isUnwelcome = step.isStranger === true && this.#world.token !== null;
    const mustBeRefused = step.mustBeRefused === true || isUnwelcome;
    this.#observations.push({ step: index, kind: "request", method, path, mustBeRefused, received });
    if (received.kind !== "answer" || received.answer.isStream || isClosing(received.answer)) {
      this.#wire?.close();
      this.#wire = null;
    }
    if (received.kind === "answer" && received.answer.status < 300) this.#keep(step, received.answer);
    else this.#isRefused = true;
  }

  async #exchange(method: string, bytes: Buffer): Promise<Received> {
    if (this.#wire === null || this.#wire.isClosed) this.#wire = await Wire.open(this.#world.url);
    this.#wire.expect(method);
    this.#wire.send(bytes);
    return this.#wire.receive(answerWaitMs);
  }

  async #raw(index: number, step: RawStep): Promise<void> {
    const wire = await Wire.open(this.#world.url);
    for (const [number, part] of step.parts.entries()) {
      if (number > 0 && step.pauseMs > 0) await pause(step.pauseMs);
      wire.send(toBytes(part, this.#names));
    }
    if (step.ending === "close") return wire.close();
    if (step.ending === "reset") return wire.reset();
    if (step.ending === "half-close") wire.endWriting();
    let missing = step.answers ?? 0;
    for (;;) {
      const received = await wire.receive(missing > 0 ? answerWaitMs : silenceMs);
      const isWanted = received.kind === "answer" || received.kind === "garbage" || missing > 0;
      if (isWanted) {
        if (received.kind === "answer") missing = Math.max(0, missing - 1);
        const place = { step: index, kind: "raw", method: "", path: "", mustBeRefused: false } as const;
        this.#observations.push({ ...place, received, missing });
      }
      if (received.kind !== "answer" || received.answer.isStream) return wire.close();
    }
  }

  async #stream(index: number, step: StreamStep): Promise<void> {
    const wire = await Wire.open(this.#world.url);
    this.#streams.get(step.name)?.close();
    this.#streams.set(step.name, wire);
    const path = fill(step.path, this.#names);
    if (step.reader === "fast") wire.keepText();
    wire.expect("GET");
    wire.send(this.#encode({ kind: "request", method: "GET", path, headers: step.headers, body: null }));
    if (step.reader === "never") return wire.pauseReading();
    const received = await wire.receive(answerWaitMs);
    this.#observations.push({ step: index, kind: "stream", method: "GET", path, mustBeRefused: false, received });
    if (step.reader === "slow") {
      wire.pauseReading();
      this.#timers.push(
        setInterval(() => {
          wire.resumeReading();
          setImmediate(() => wire.pauseReading());
        }, slowReadEveryMs),
      );
    }
  }

  async #await(index: number, step: AwaitStep): Promise<void> {
    const wire = this.#streams.get(step.name);
    // A refusal has been judged already, and brings nothing more.
    if (wire === undefined || !wire.isStreaming) return;
    const isThere = await wire.brought(step.text, step.isNeeded === true ? answerWaitMs : awaitMs);
    if (!isThere && step.isNeeded === true && !this.#isRefused) {
      const received: Received = wire.isGone ? { kind: "closed", isCut: true } : { kind: "silence" };
      const place = { kind: "await", method: "GET", path: step.text, mustBeRefused: false } as const;
      this.#observations.push({ step: index, ...place, received });
    }
    const assigned = [
      ...wire.text.matchAll(
        /"assignments":\[\{"task":"(?<task>[^"]+)","attempt":(?<attempt>\d+),"assignedAt":(?<at>\d+)/g,
      ),
    ].at(-1)?.groups;
    if (assigned?.["task"] === undefined || assigned["attempt"] === undefined || assigned["at"] === undefined) return;
    this.#learn("assignedTask", assigned["task"]);
    this.#learn("assignedAttempt", assigned["attempt"]);
    this.#learn("assignedAt", assigned["at"]);
  }

  #closeStream(name: string, how: "close" | "reset"): void {
    const wire = this.#streams.get(name);
    this.#streams.delete(name);
    if (how === "reset") wire?.reset();
    else wire?.close();
  }

  #encode({ method, path, headers, body }: RequestStep): Buffer {
    const names = this.#names;
    const { token, url } = this.#world;
    const bytes = body === null ? null : toBytes(body, names);
    const lines = headers.map(([name, value]) => `${name}: ${fill(value, names)}`);
    const has = (wanted: string) => headers.some(([name]) => name.toLowerCase() === wanted);
    if (!has("host")) lines.push(`host: ${url.host}`);
    if (token !== null && !has("authorization")) lines.push(`authorization: Bearer ${token}`);
    if (bytes !== null || method === "POST") lines.push(`content-length: ${bytes?.length ?? 0}`);
    const head = Buffer.from(`${method} ${fill(path, names)} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    return bytes === null ? head : Buffer.concat([head, bytes]);
  }

  #keep({ keep = {} }: RequestStep, answer: Answer): void {
    for (const [name, pointer] of Object.entries(keep)) {
      const value = valueBehind(answer.body, pointer);
      if (typeof value === "string" || typeof value === "number") this.#learn(name, String(value));
    }
  }

  #learn(name: string, value: string): void {
    if (name === "session") this.#world.names.set("otherSession", value);
    this.#names.set(name, value);
    this.#world.names.set(name, value);
  }
}

function valueBehind(body: Buffer, pointer: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  for (const name of pointer.split("/").slice(1)) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as { readonly [name: string]: unknown })[name];
  }
  return value;
}

function isClosing({ headers }: Answer): boolean {
  return headers.get("connection")?.toLowerCase() === "close";
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
