/** Tasks as people see them: their documents from the store, with what only the memory of a master knows. */
import { withNodeNames } from "../../model/graphs/nodeNames.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store, TaskPage, TaskQuery } from "../../ports/store.ts";
import type { MasterState } from "../masterState.ts";
import type { ProgressBoard } from "../streams/progressBoard.ts";
import { readResolvedInput } from "./familyReads.ts";

export interface TaskReadParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly state: MasterState;
  readonly progress: ProgressBoard;
  /** Reads the store, and says why it cannot be read. */
  readonly read: <Result>(read: () => Promise<Result>) => Promise<Result>;
}

export class TaskReads {
  readonly #parts: TaskReadParts;

  constructor(parts: TaskReadParts) {
    this.#parts = parts;
  }

  async readTask(id: TaskId): Promise<TaskDocument | null> {
    const { store, read } = this.#parts;
    const document = await read(() => store.readTask(id));
    if (document === null) return null;
    const resolved = document.takesOutputs === true ? await read(() => readResolvedInput(store, document)) : null;
    const whole = resolved === null ? document : { ...document, resolvedInput: resolved.input };
    return this.#shown([whole])[0] ?? null;
  }

  async listTasks(query: TaskQuery): Promise<TaskPage> {
    const page = await this.#parts.read(() => this.#parts.store.listTasks(query));
    return { ...page, tasks: this.#shown(page.tasks) };
  }

  #shown(documents: readonly TaskDocument[]): readonly TaskDocument[] {
    const { state, progress, clock } = this.#parts;
    const viewed = state.scheduler?.addViews(documents, clock.now(), state.status().leader !== null) ?? documents;
    return viewed.map((document) => progress.addTo(withNamedReason(document)));
  }
}

function withNamedReason(document: TaskDocument): TaskDocument {
  const { error, after = [], afterNames } = document;
  if (error?.code !== "skipped" || afterNames === undefined) return document;
  const names = new Map(after.map((id, index) => [id, afterNames[index] ?? id]));
  return { ...document, error: withNodeNames(error, names) };
}
