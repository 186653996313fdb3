/** Backups of tasks that take much longer than their siblings: which of them have to end, and when it is time to look again. */
import type { TaskId } from "../../model/ids.ts";
import type { LiveTask } from "./liveTask.ts";

export class Backups {
  /** Backups whose task has ended. */
  readonly #useless: TaskId[] = [];
  /** While it leads: when a task may have become slow; null if none can. */
  nextLookAt: number | null = null;

  /** A task has ended, by itself or by its backup. */
  noteEnd({ backup }: LiveTask): void {
    if (backup !== null && backup.isWinner !== true) this.#useless.push(backup.id);
  }

  takeUseless(): readonly TaskId[] {
    return this.#useless.splice(0);
  }
}
