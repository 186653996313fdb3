/** The schedules of a fake master: kept in a map; nothing ticks. */
import type {
  Backfill,
  BackfillAnswer,
  Preview,
  PutScheduleAnswer,
  ScheduleApi,
  SchedulePage,
  SchedulePreview,
} from "../../master/service/scheduleApi.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import {
  nextTick,
  noCalendar,
  type ScheduleContent,
  type ScheduleView,
  tickId,
} from "../../model/schedules/schedule.ts";
import { utcText } from "../../model/schedules/utcText.ts";

export class FakeScheduleApi implements ScheduleApi {
  readonly #byName = new Map<string, ScheduleView>();

  async put(name: string, given: Json): Promise<PutScheduleAnswer> {
    const content = given as unknown as ScheduleContent;
    const nextAt = nextTick(content, 1000, noCalendar);
    const nothing = { settledAt: -1, queued: [], fired: 0, skipped: [], backfilled: [] };
    this.#byName.set(name, { name, content, changedAt: 1000, isPaused: false, nextAt, ...nothing });
    return { name, nextAt, isNew: true };
  }

  async remove(name: string): Promise<void> {
    await this.read(name);
    this.#byName.delete(name);
  }

  async setPaused(name: string, isPaused: boolean): Promise<void> {
    this.#byName.set(name, { ...(await this.read(name)), isPaused });
  }

  async list(_after: string | null, limit: number): Promise<SchedulePage> {
    return { schedules: [...this.#byName.values()].slice(0, limit), cursor: null };
  }

  async read(name: string): Promise<ScheduleView> {
    const schedule = this.#byName.get(name);
    if (schedule === undefined) throw new OutlastError("not-found", `There is no schedule ${name}.`);
    return schedule;
  }

  async trigger(name: string) {
    await this.read(name);
    return { id: `${name}@trigger-1` as TaskId, isNew: true };
  }

  async backfill(name: string, { from, to }: Backfill): Promise<BackfillAnswer> {
    await this.read(name);
    if (to < from) throw new OutlastError("invalid", "`to` is before `from`.", { path: "/to" });
    return { ticks: [{ at: from, id: tickId(name, from) }], nextFrom: from + 1 < to ? from + 1 : null };
  }

  async preview(given: Json, { from = 1001 }: Preview): Promise<SchedulePreview> {
    const at = nextTick(given as unknown as ScheduleContent, from - 1, noCalendar) ?? 0;
    return { ticks: [{ at, utc: utcText(at), local: utcText(at) }], warnings: [] };
  }
}
