/** What few unfinished tasks have. It is kept in an object of its own, so that a million tasks without it need no room for it. */
import type { Backup } from "../../model/family.ts";
import type { OpenRun } from "../../model/kinds/remote.ts";

class Parts {
  uncounted = 0;
  losses = 0;
  firstLoss = 0;
  isRecorded = false;
  backup: Backup | null = null;
  openRun: OpenRun | null = null;
  share = 0;
  retriedAt: number | undefined = undefined;
}

/** As all of it is in a new task. */
const fresh: Readonly<Parts> = new Parts();

export abstract class RareParts {
  /** Null as long as nothing differs from a new task. */
  #own: Parts | null = null;

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

  #set<Name extends keyof Parts>(name: Name, value: Parts[Name]): void {
    if (this.#own === null) {
      if (value === fresh[name]) return;
      this.#own = new Parts();
    }
    this.#own[name] = value;
  }
}
