/** Somebody who follows every change, as a dashboard does, and goes on where it was with another master when one is lost. */
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { hashText } from "../checkers/hashText.ts";
import type { RunningMaster } from "./call.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { statusOrNull } from "./relay.ts";
import { SimulatedStream, type Sink } from "./stream.ts";
import type { KnownMaster, World } from "./world.ts";

type EventMessage =
  | { readonly kind: "event"; readonly seq: number; readonly epoch: number; readonly text: number }
  /** What came before `seq` is to be read anew. */
  | { readonly kind: "reset"; readonly seq: number };

/** By the writes themselves: a master tells everybody who listens the same ones. */
const texts = new WeakMap<ChangeBatch["writes"], number>();

/** What an entry's writes come to, to compare what different masters tell of it. */
export function textOf({ writes }: Pick<ChangeBatch, "writes">): number {
  const known = texts.get(writes);
  if (known !== undefined) return known;
  const text = hashText(JSON.stringify(writes));
  texts.set(writes, text);
  return text;
}

/** It stays with one master no longer than this. */
export const moveMsMax = 60_000;

export class EventReader {
  readonly machine: string;
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;
  #seq: number | null = null;
  #last: KnownMaster | null = null;
  #stream: SimulatedStream<EventMessage> | null = null;

  constructor(world: World, machine: string) {
    this.machine = machine;
    this.#world = world;
    this.#random = world.random.fork(machine);
    this.#process = new Process(machine, world.timeline);
  }

  /** How far it has come. */
  get seq(): number | null {
    return this.#seq;
  }

  start(): void {
    const { wire, masters, coverage } = this.#world;
    const master = this.#random.pick(masters);
    if (this.#seq !== null && this.#last !== null && master !== this.#last)
      coverage.saw("a follower of events resumed at another master");
    this.#last = master;
    const after = this.#seq;
    const listener = {
      onMessage: (message: EventMessage) => this.#take(message),
      onClose: () => void this.#process.after(this.#random.integer(100, 3000), () => this.start()),
    };
    this.#stream = new SimulatedStream<EventMessage>(
      wire,
      { machine: this.machine, process: this.#process },
      master,
      listener,
      {
        open: (running, sink) => follow(running, after, sink),
        opened: () => {},
        sent: () => {},
        closed: () => {},
        describe: (message) => `${message.kind} ${message.seq}`,
        mayRepeat: false,
      },
    );
    this.#stream.connect();
  }

  /** Leaves for another master at times, as a reader behind a load balancer does. */
  move(): void {
    this.#stream?.close();
    this.#process.after(this.#random.spread(1_000, moveMsMax), () => this.move());
  }

  #take(message: EventMessage): void {
    const { ledger, coverage } = this.#world;
    this.#seq = message.seq;
    if (message.kind === "event") {
      ledger.add({ ...message, session: this.machine });
      return;
    }
    coverage.saw("a follower of events was told to read anew");
    ledger.add({ kind: "event-reset", session: this.machine, seq: message.seq });
  }
}

/** What the API does for a subscriber. Returns how to stop. */
function follow(running: RunningMaster, after: number | null, sink: Sink<EventMessage>): () => void {
  let isOver = false;
  let subscription: Subscription | null = null;
  const end = (): void => {
    isOver = true;
    subscription?.close();
  };
  const close = (): void => {
    end();
    sink.close();
  };
  subscribe(running, after, sink, close, () => isOver).then(
    (made) => {
      subscription = made;
      if (isOver) made.close();
    },
    (error: unknown) => {
      if (!(error instanceof OutlastError)) throw error;
      close();
    },
  );
  return end;
}

async function subscribe(
  running: RunningMaster,
  after: number | null,
  sink: Sink<EventMessage>,
  close: () => void,
  isOver: () => boolean,
): Promise<Subscription> {
  const status = statusOrNull(running);
  if (status === null) throw new OutlastError("unavailable", "still starting");
  const { face } = running;
  const from = (seq: number): Promise<Subscription> => listen(face, seq, sink, close, isOver);
  const reset = (): Promise<Subscription> => {
    const { seq } = face.status();
    sink.send({ kind: "reset", seq });
    return from(seq);
  };
  if (after === null) return reset();
  if (after > status.seq && status.role === "leader") return reset();
  try {
    return await from(after);
  } catch (error) {
    if (!(error instanceof OutlastError) || error.code !== "not-found") throw error;
    return reset();
  }
}

function listen(
  face: MasterApi,
  afterSeq: number,
  sink: Sink<EventMessage>,
  close: () => void,
  isOver: () => boolean,
): Promise<Subscription> {
  let reportedSeq = afterSeq;
  const tell = (batch: ChangeBatch): void => {
    if (isOver()) throw new OutlastError("unavailable", "Nobody listens any more.");
    if (batch.seq <= reportedSeq) return;
    if (batch.seq > reportedSeq + 1) return close();
    reportedSeq = batch.seq;
    sink.send({ kind: "event", seq: batch.seq, epoch: batch.epoch, text: textOf(batch) });
  };
  return face.changes(afterSeq, tell, close);
}
