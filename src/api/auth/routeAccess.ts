/** Who may call a route, and which queues count. `docs/access.md` is printed from it. */
import type { Permission } from "../../model/principals/principal.ts";

export interface Access {
  /** `everybody` needs no credential, `signed-in` any that is valid. */
  readonly needs: "everybody" | "signed-in" | Permission;
  /**
   * Whose queue must be the caller's; what is not his is unknown to him.
   *
   * - `none`: it is about no queue.
   * - `all`: it tells of all queues at once, so it is only for those who are not bound to queues.
   * - `each`: what is told or done is about several queues, and only those of the caller are in it.
   * - anything else: the queue of that thing; of a worker, its queues; of a webhook, those that it hears of.
   */
  readonly of: "none" | "all" | "each" | "task" | "template" | "schedule" | "webhook" | "queue" | "worker";
  /** True: without the permission `control`, only for tasks that the caller has submitted. */
  readonly isOwnOnly?: true;
  /** True: a worker may call it, too, whatever its queues: it handles files of the tasks that it runs. */
  readonly isForWorkers?: true;
}
