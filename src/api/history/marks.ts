/** The last events of the cluster itself: elections, and workers that came, left, drained or were lost. */
import type { Write } from "../../model/entry.ts";
import type { WorkerRecord } from "../../model/worker.ts";

export type Mark =
  | { readonly at: number; readonly kind: "leader"; readonly epoch: number; readonly address: string }
  | WorkerMark;

interface WorkerMark {
  readonly at: number;
  readonly kind: "attached" | "drained" | "lost" | "left";
  readonly worker: string;
  /** It attached as a new process, while the one before was not known to have ended; left out if not. */
  readonly wasRestarted?: true;
  /** Attempts that were killed with its process, as far as this master knows; left out if none. */
  readonly attemptsLost?: number;
}

type Known = Pick<WorkerRecord, "state" | "boot" | "isDraining">;

export class Marks {
  readonly #max: number;
  readonly #marks: Mark[] = [];
  readonly #workers = new Map<string, Known>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Must be told of every committed write, in order.
   * @param lost how many attempts were killed by the same entry, by worker
   */
  note(at: number, epoch: number, write: Write, lost: ReadonlyMap<string, number>): void {
    if (write.kind === "marker") this.#add({ at, kind: "leader", epoch, address: write.address });
    if (write.kind !== "record" || write.collection !== "workers") return;
    if (write.value === null) this.#workers.delete(write.id);
    else this.#noteWorker(at, write.value, lost.get(write.id) ?? 0);
  }

  /** Those since this instant, the latest last. */
  since(at: number): Mark[] {
    return this.#marks.filter((mark) => mark.at >= at);
  }

  #noteWorker(at: number, { id, boot, state, isDraining }: WorkerRecord, lost: number): void {
    const known = this.#workers.get(id);
    this.#workers.set(id, { boot, state, isDraining });
    const isSame = known?.boot === boot && known.state === state;
    const losses = lost === 0 ? {} : { attemptsLost: lost };
    if (!isSame && state === "connected") {
      const wasRestarted = known !== undefined && known.boot !== boot && known.state === "connected";
      this.#add({ at, kind: "attached", worker: id, ...(wasRestarted && { wasRestarted, ...losses }) });
    }
    if (!isSame && state === "lost") this.#add({ at, kind: "lost", worker: id, ...losses });
    if (!isSame && state === "gone") this.#add({ at, kind: "left", worker: id });
    if (isDraining && known?.isDraining === false) this.#add({ at, kind: "drained", worker: id });
  }

  #add(mark: Mark): void {
    this.#marks.push(mark);
    if (this.#marks.length > this.#max) this.#marks.shift();
  }
}
