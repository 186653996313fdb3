/** What a fake master shows of its tasks: children by their parent, one attempt each, no steps, and what a test puts into `kept`. */
import type {
  AttemptsOfTask,
  ChildPage,
  StepPage,
  TaskAttemptPage,
  TaskViewApi,
} from "../../master/service/taskViewApi.ts";
import { lastAttemptOf } from "../../model/attemptRecord.ts";
import type { ArtifactRecord } from "../../model/blob.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";

export class FakeTaskViewApi implements TaskViewApi {
  readonly #tasks: ReadonlyMap<TaskId, TaskDocument>;
  /** Artifacts by task. */
  readonly kept = new Map<string, readonly ArtifactRecord[]>();

  constructor(tasks: ReadonlyMap<TaskId, TaskDocument>) {
    this.#tasks = tasks;
  }

  async children(parent: TaskId): Promise<ChildPage> {
    this.#find(parent);
    return { tasks: [...this.#tasks.values()].filter((task) => task.parent === parent), cursor: null, counts: {} };
  }

  async steps(task: TaskId): Promise<StepPage> {
    this.#find(task);
    return { steps: [], cursor: null };
  }

  async attempts(task: TaskId): Promise<AttemptsOfTask> {
    const attempt = lastAttemptOf(this.#find(task));
    return { attempts: attempt === null ? [] : [attempt], cursor: null };
  }

  async artifacts(task: TaskId): Promise<readonly ArtifactRecord[]> {
    const records = this.kept.get(task);
    if (records !== undefined) return records;
    this.#find(task);
    return [];
  }

  async listAttempts(): Promise<TaskAttemptPage> {
    const attempts = [...this.#tasks.values()].flatMap((task) => {
      const attempt = lastAttemptOf(task);
      return attempt === null ? [] : [{ task: task.id, name: task.name, ...attempt }];
    });
    return { attempts, cursor: null };
  }

  #find(id: TaskId): TaskDocument {
    const task = this.#tasks.get(id);
    if (task === undefined) throw new OutlastError("not-found", `There is no task ${id}.`);
    return task;
  }
}
