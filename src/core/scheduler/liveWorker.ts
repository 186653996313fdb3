/** A worker as the leader sees it: which boot holds the place, how it can be reached, and what occupies its slots. */
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { issueKey } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { AbortedAttempt, AbortReason, IssuedAttempt } from "../../model/protocol.ts";
import type { DyingAttempt, ProbeAddress, WorkerRecord, WorkerState, WorkerView } from "../../model/worker.ts";
import type { HeapItem } from "../heap.ts";
import type { LiveTask } from "./liveTask.ts";
import { Offer } from "./offer.ts";

/** An attempt that the worker must end, and why. */
export interface Dying extends IssuedAttempt {
  readonly reason: AbortReason;
}

/** Is told of every change of what a worker offers, of its free slots, and of whether it may be given tasks. */
export interface WorkerPlaces {
  update(worker: LiveWorker): void;
}

/** Whatever changes its free slots, or whether it may be given tasks, tells the lanes by itself. */
export class LiveWorker implements HeapItem {
  readonly id: WorkerId;
  readonly #lanes: WorkerPlaces;
  #record: WorkerRecord;
  #offer: Offer;
  #sharedOffer: Offer;
  #state: WorkerState;
  #isOpen = false;
  #usedSlots = 0;
  #trouble: string | null = null;
  #keptFor: LiveTask | null = null;

  /** The one session that counts; messages of any other are refused. */
  session: SessionId | null = null;
  /** Who has opened its session, and when; null if nobody has under this leader. */
  opened: { readonly by: string; readonly at: number } | null = null;
  /** When it was last heard of; null if not since this leader was elected. */
  heardAt: number | null = null;
  /** From here its silence is counted; moved forward by whatever was not its fault. */
  silentSince: number;
  /** How long that silence may last before the worker is given up; it depends on how the silence began. */
  graceMs: number;
  /** Its key in the timer heap. */
  wakeAt = 0;
  heapIndex = -1;

  /** True once this master itself has found this boot alive at its probe port. */
  isProbeTrusted = false;

  /** Tasks whose current attempt is here, those of an earlier boot included whose results wait in the outbox. */
  readonly tasks = new Map<TaskId, LiveTask>();
  /** Attempts of this boot that are over for the leader while their processes may still be ending. */
  readonly #dying = new Map<string, Dying>();
  /** True if it reaches us through a standby, whose death is not its own. */
  isRelayed = false;
  /** Attempts that the worker never received: sent again as soon as its stream opens. */
  redeliver: LiveTask[] = [];

  /** Grows with each assignment, so that workers with equal load take turns. */
  turn = 0;

  constructor(record: WorkerRecord, lanes: WorkerPlaces, now: number) {
    this.id = record.id;
    this.#lanes = lanes;
    this.#record = record;
    this.#offer = new Offer(record, record.id);
    this.#sharedOffer = new Offer(record, null);
    this.#state = record.state === "connected" ? "suspect" : record.state;
    this.silentSince = now;
    this.graceMs = 0;
  }

  get record(): WorkerRecord {
    return this.#record;
  }

  set record(record: WorkerRecord) {
    this.#record = record;
    this.#offer = new Offer(record, record.id);
    this.#sharedOffer = new Offer(record, null);
    this.#lanes.update(this);
  }

  get offer(): Offer {
    return this.#offer;
  }

  /** The same without the label that is its own. */
  get sharedOffer(): Offer {
    return this.#sharedOffer;
  }

  get state(): WorkerState {
    return this.#state;
  }

  set state(state: WorkerState) {
    this.#state = state;
    this.#lanes.update(this);
  }

  /** True while the stream of its session is open: only then can the worker be told anything. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.#lanes.update(this);
  }

  /** Why it takes no tasks at the moment, in its own words; null if it does. Not durable: it says so again when it attaches. */
  get trouble(): string | null {
    return this.#trouble;
  }

  set trouble(trouble: string | null) {
    this.#trouble = trouble;
    this.#lanes.update(this);
  }

  /** The one task that it may run now; null if it may run any. It is given nothing else until that has ended. */
  get keptFor(): LiveTask | null {
    return this.#keptFor;
  }

  set keptFor(task: LiveTask | null) {
    this.#keptFor = task;
    this.#lanes.update(this);
  }

  /** Slots of this boot that are in use: current attempts of this boot, and dying ones. */
  get usedSlots(): number {
    return this.#usedSlots;
  }

  get boot(): BootId {
    return this.#record.boot;
  }

  get isGivenUp(): boolean {
    return this.#state === "lost" || this.#state === "gone";
  }

  /** True if it is this boot, and this is where it can be probed. */
  listensAt(boot: BootId, { host, port }: ProbeAddress): boolean {
    const { probe } = this.#record;
    return this.boot === boot && probe?.host === host && probe.port === port;
  }

  /** True if it may be given new work at all, whether or not a slot is free. */
  get isEligible(): boolean {
    return this.isOpen && this.state === "connected" && !this.record.isDraining && this.#trouble === null;
  }

  get hasFreeSlot(): boolean {
    return this.usedSlots < this.record.capacity;
  }

  /** Books a slot if the attempt belongs to the boot that is here now; an earlier boot's slots died with it. */
  hold(task: LiveTask): void {
    this.tasks.set(task.id, task);
    if (task.run?.boot !== this.boot) return;
    if (task.run.isAlone) this.#keptFor = task;
    this.#use(1);
  }

  /** Every attempt that it has, or may have, and must end. */
  get dying(): Iterable<Dying> {
    return this.#dying.values();
  }

  /** The attempt is over, and so is its process. */
  release(task: LiveTask): void {
    this.#drop(task);
    if (task.run?.boot === this.boot) this.#use(-1);
  }

  /** The attempt is over for the leader; its slot stays in use until the worker reports that its process has ended. */
  releaseDying(task: LiveTask, reason: AbortReason): void {
    this.#drop(task);
    if (task.run?.boot !== this.boot) return;
    this.#dying.set(issueKey(task.issued), { ...task.issued, reason });
  }

  /** The worker reports that it still has this attempt, which is not current any more. */
  addDying({ task, attempt, assignedAt }: IssuedAttempt): void {
    const key = issueKey({ task, attempt, assignedAt });
    if (this.#dying.has(key)) return;
    this.#dying.set(key, { task, attempt, assignedAt, reason: "killed" });
    this.#use(1);
  }

  /** The worker reports that this attempt has ended, or that it never had one of this name: then it was assigned at 0. */
  endDying({ task, attempt, assignedAt }: IssuedAttempt): void {
    const ended = this.#dyingOf({ task, attempt, ...(assignedAt > 0 && { assignedAt }) });
    for (const each of ended) this.#dying.delete(issueKey(each));
    this.#use(-ended.length);
  }

  /** True if the process of this attempt may still be ending: the worker has not reported its end, or has yet to say what it runs. */
  mayHold(attempt: AbortedAttempt): boolean {
    return this.session === null || this.#dyingOf(attempt).length > 0;
  }

  /** This attempt, if it is dying; those of all tasks that have had the id, where it is not said when it was assigned. */
  #dyingOf({ task, attempt, assignedAt }: AbortedAttempt): Dying[] {
    if (assignedAt !== undefined) {
      const dying = this.#dying.get(issueKey({ task, attempt, assignedAt }));
      return dying === undefined ? [] : [dying];
    }
    return [...this.#dying.values()].filter((each) => each.task === task && each.attempt === attempt);
  }

  clearDying(): void {
    const count = this.#dying.size;
    this.#dying.clear();
    this.#use(-count);
  }

  /** A new process takes the place of the old one, whose slots went with it. */
  clearSlots(): void {
    this.#dying.clear();
    this.#use(-this.#usedSlots);
  }

  toView(): WorkerView {
    const { state, heardAt, trouble } = this;
    const dying = [...this.#dying.values()]
      .slice(0, limits.dyingShownMax)
      .map(({ task, attempt }): DyingAttempt => ({ task, attempt }));
    return {
      ...this.record,
      ...{ state, running: this.usedSlots, trouble, heardAt },
      ...(dying.length > 0 && { dying }),
    };
  }

  #drop(task: LiveTask): void {
    this.tasks.delete(task.id);
    if (this.#keptFor === task) this.keptFor = null;
  }

  #use(count: number): void {
    if (count === 0) return;
    this.#usedSlots += count;
    this.#lanes.update(this);
  }
}
