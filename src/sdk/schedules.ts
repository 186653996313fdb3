/** The part of the client that is about schedules: `client.schedules`. */
import { limits } from "../model/limits.ts";
import type { BackfilledTick, PreviewTick, ScheduleContent, ScheduleView } from "../model/schedules/schedule.ts";
import type { CallOptions, ReadOptions, SubmitOptions, Submitted } from "./callOptions.ts";
import type { Connection } from "./connection.ts";

export interface PutSchedule {
  readonly name: string;
  /** The next tick; null if none follows. */
  readonly nextAt: number | null;
  /** False if the schedule said the same before. */
  readonly isNew: boolean;
}

export interface BackfillOptions extends CallOptions {
  /** Ms since 1970, included. */
  readonly from: number;
  /** Included; up to the last tick that was settled if left out. */
  readonly to?: number;
  /** True: nothing is made, and what would be made is yielded. */
  readonly isDryRun?: boolean;
}

export interface PreviewOptions extends CallOptions {
  readonly count?: number;
  /** The first instant, in ms since 1970; ticks from now on if it is left out. */
  readonly from?: number;
  /** Of a schedule whose past tasks tell how long the next ones may take. */
  readonly name?: string;
}

export interface SchedulePreview {
  readonly ticks: readonly PreviewTick[];
  /** Sentences for people, such as that past tasks took longer than from tick to tick. */
  readonly warnings: readonly string[];
}

interface BackfillPart {
  readonly ticks: readonly BackfilledTick[];
  readonly nextFrom: number | null;
}

interface Page {
  readonly schedules: readonly ScheduleView[];
  readonly cursor: string | null;
}

export class Schedules {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Puts a schedule in place of the one of its name. Ticks that have fired never fire again. */
  put(name: string, schedule: ScheduleContent, { signal }: CallOptions = {}): Promise<PutSchedule> {
    const body = JSON.stringify(schedule);
    return this.#connection.json<PutSchedule>({ method: "PUT", path: pathOf(name), body, signal });
  }

  get(name: string, { signal, consistent }: ReadOptions = {}): Promise<ScheduleView> {
    const path = `${pathOf(name)}${consistent === true ? "?consistent=true" : ""}`;
    return this.#connection.json<ScheduleView>({ method: "GET", path, signal });
  }

  /** All schedules, by name. */
  async *list({ signal, consistent }: ReadOptions = {}): AsyncGenerator<ScheduleView, void, undefined> {
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ limit: String(limits.pageMax) });
      if (cursor !== null) query.set("cursor", cursor);
      if (consistent === true) query.set("consistent", "true");
      const path = `/v1/schedules?${query.toString()}`;
      const page: Page = await this.#connection.json<Page>({ method: "GET", path, signal });
      yield* page.schedules;
      ({ cursor } = page);
    } while (cursor !== null);
  }

  /** Its tasks stay. A schedule that is put again under its name fires no tick again. */
  async remove(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.remove(pathOf(name), signal);
  }

  /** Its ticks are skipped until it is resumed. */
  async pause(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.json({ method: "POST", path: `${pathOf(name)}/pause`, signal });
  }

  async resume(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.json({ method: "POST", path: `${pathOf(name)}/resume`, signal });
  }

  /** Runs the task of a schedule now, besides its ticks. */
  async trigger(name: string, { key, signal }: Omit<SubmitOptions, "traceparent"> = {}): Promise<Submitted> {
    const headers = { "idempotency-key": key ?? crypto.randomUUID() };
    const path = `${pathOf(name)}/trigger`;
    const submitted = await this.#connection.json<Submitted>({ method: "POST", path, headers, signal });
    return key === undefined ? { ...submitted, isNew: true } : submitted;
  }

  /**
   * Makes the tasks of past ticks that have none: those that were skipped, and those from before the schedule was put. Their ids are
   * those that they would have had, and none is made twice, also if this is repeated. Yields each tick once its task is made.
   */
  async *backfill(
    name: string,
    { from, to, isDryRun = false, signal }: BackfillOptions,
  ): AsyncGenerator<BackfilledTick, void, undefined> {
    const path = `${pathOf(name)}/backfill`;
    for (let next: number | null = from; next !== null; ) {
      const body = JSON.stringify({ from: next, isDryRun, ...(to !== undefined && { to }) });
      const part: BackfillPart = await this.#connection.json<BackfillPart>({ method: "POST", path, body, signal });
      yield* part.ticks;
      next = part.nextFrom;
    }
  }

  /** The next ticks that a schedule would have; it need not be there. */
  preview(
    schedule: ScheduleContent,
    { count = 10, from, name, signal }: PreviewOptions = {},
  ): Promise<SchedulePreview> {
    const body = JSON.stringify({ schedule, count, from, name });
    return this.#connection.json<SchedulePreview>({ method: "POST", path: "/v1/schedule-previews", body, signal });
  }
}

function pathOf(name: string): string {
  return `/v1/schedules/${encodeURIComponent(name)}`;
}
