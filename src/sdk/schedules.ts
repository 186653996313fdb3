/** The part of the client that is about schedules: `client.schedules`. */
import { limits } from "../model/limits.ts";
import type { PreviewTick, ScheduleContent, ScheduleView } from "../model/schedules/schedule.ts";
import type { CallOptions, ReadOptions, SubmitOptions, Submitted } from "./callOptions.ts";
import type { Connection } from "./connection.ts";

export interface PutSchedule {
  readonly name: string;
  /** The next tick; null if none follows. */
  readonly nextAt: number | null;
  /** False if the schedule said the same before. */
  readonly isNew: boolean;
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
    await this.#connection.json({ method: "DELETE", path: pathOf(name), signal });
  }

  /** Its ticks are skipped until it is resumed. */
  async pause(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.json({ method: "POST", path: `${pathOf(name)}/pause`, signal });
  }

  async resume(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.json({ method: "POST", path: `${pathOf(name)}/resume`, signal });
  }

  /** Runs the task of a schedule now, besides its ticks. */
  async trigger(name: string, { key, signal }: SubmitOptions = {}): Promise<Submitted> {
    const headers = { "idempotency-key": key ?? crypto.randomUUID() };
    const path = `${pathOf(name)}/trigger`;
    const submitted = await this.#connection.json<Submitted>({ method: "POST", path, headers, signal });
    return key === undefined ? { ...submitted, isNew: true } : submitted;
  }

  /** The next ticks that a schedule would have; it need not be there. */
  async preview(
    schedule: ScheduleContent,
    { count = 10, signal }: CallOptions & { readonly count?: number } = {},
  ): Promise<readonly PreviewTick[]> {
    const body = JSON.stringify({ schedule, count });
    const path = "/v1/schedule-previews";
    return (await this.#connection.json<{ ticks: PreviewTick[] }>({ method: "POST", path, body, signal })).ticks;
  }
}

function pathOf(name: string): string {
  return `/v1/schedules/${encodeURIComponent(name)}`;
}
