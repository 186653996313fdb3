/** What few unfinished tasks have. It is kept in an object of its own, so that a million tasks without it need no room for it. */
import type { Backup } from "../../model/family.ts";
import type { RunCondition } from "../../model/graphs/conditions.ts";
import type { TaskId } from "../../model/ids.ts";
import type { OpenRun } from "../../model/kinds/remote.ts";
import type { Awaited } from "../../model/waiting.ts";

/** What a task waits for before it starts. */
interface Links {
  readonly after: readonly TaskId[];
  readonly runIf: RunCondition;
  readonly takesOutputs: boolean;
  /** While it leads and the task is blocked: how many of them have not ended. */
  open: number;
}

class Parts {
  failures = 0;
  kills = 0;
  uncounted = 0;
  losses = 0;
  firstLoss = 0;
  isRecorded = false;
  backup: Backup | null = null;
  openRun: OpenRun | null = null;
  share = 0;
  retriedAt: number | undefined = undefined;
  backupOf: TaskId | null = null;
  links: Links | null = null;
  isSetApart = false;
  isHoldingUnique = false;
  awaited: Awaited | null = null;
}

/** As all of it is in a new task. */
const fresh: Readonly<Parts> = new Parts();

export abstract class RareParts {
  /** Null as long as nothing differs from a new task. */
  #own: Parts | null = null;

  /** Attempts that count towards the most that it may make. */
  get failures(): number {
    return (this.#own ?? fresh).failures;
  }

  set failures(value: number) {
    this.#set("failures", value);
  }

  /** Attempts that were lost with their workers, and count towards how many may be. */
  get kills(): number {
    return (this.#own ?? fresh).kills;
  }

  set kills(value: number) {
    this.#set("kills", value);
  }

  /** Attempts that count towards no limit. */
  get uncounted(): number {
    return (this.#own ?? fresh).uncounted;
  }

  set uncounted(value: number) {
    this.#set("uncounted", value);
  }

  /** How often in a row its worker has died under it. */
  get losses(): number {
    return (this.#own ?? fresh).losses;
  }

  set losses(value: number) {
    this.#set("losses", value);
  }

  /** How many workers had died in all at the first of these. */
  get firstLoss(): number {
    return (this.#own ?? fresh).firstLoss;
  }

  set firstLoss(value: number) {
    this.#set("firstLoss", value);
  }

  /** True once the current or last attempt has a record of its own. */
  get isRecorded(): boolean {
    return (this.#own ?? fresh).isRecorded;
  }

  set isRecorded(value: boolean) {
    this.#set("isRecorded", value);
  }

  /** Null for a task that has had none. */
  get backup(): Backup | null {
    return (this.#own ?? fresh).backup;
  }

  set backup(value: Backup | null) {
    this.#set("backup", value);
  }

  /** Its job at a service, while that is not known to have ended. */
  get openRun(): OpenRun | null {
    return (this.#own ?? fresh).openRun;
  }

  set openRun(value: OpenRun | null) {
    this.#set("openRun", value);
  }

  /** While it leads: how much of its work its attempt has done, as it said last, from 0 to 1. */
  get share(): number {
    return (this.#own ?? fresh).share;
  }

  set share(value: number) {
    this.#set("share", value);
  }

  /** When it was last retried after it had ended, by the wall clock. */
  get retriedAt(): number | undefined {
    return (this.#own ?? fresh).retriedAt;
  }

  set retriedAt(value: number | undefined) {
    this.#set("retriedAt", value);
  }

  /** The task of which this one is a backup; null for any other. */
  get backupOf(): TaskId | null {
    return (this.#own ?? fresh).backupOf;
  }

  set backupOf(value: TaskId | null) {
    this.#set("backupOf", value);
  }

  /** Null for a task that waits for no other. */
  get links(): Links | null {
    return (this.#own ?? fresh).links;
  }

  set links(value: Links | null) {
    this.#set("links", value);
  }

  /** True while it waits for a worker of its own, outside its lane. */
  get isSetApart(): boolean {
    return (this.#own ?? fresh).isSetApart;
  }

  set isSetApart(value: boolean) {
    this.#set("isSetApart", value);
  }

  /** True while no other task with its unique key may start because of it: while it runs, or is ending. */
  get isHoldingUnique(): boolean {
    return (this.#own ?? fresh).isHoldingUnique;
  }

  set isHoldingUnique(value: boolean) {
    this.#set("isHoldingUnique", value);
  }

  /** What it waits for, as it is counted. */
  get awaited(): Awaited | null {
    return (this.#own ?? fresh).awaited;
  }

  set awaited(value: Awaited | null) {
    this.#set("awaited", value);
  }

  #set<Name extends keyof Parts>(name: Name, value: Parts[Name]): void {
    if (this.#own === null) {
      if (value === fresh[name]) return;
      this.#own = new Parts();
    }
    this.#own[name] = value;
  }
}
