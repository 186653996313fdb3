/** Schedules as the API sees them: content is checked and templates are expanded here, ticks happen in the scheduler. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { isObject } from "../../model/kinds/kind.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type Actor, coversQueue, rightsOf } from "../../model/principals/principal.ts";
import {
  type Calendar,
  type PreviewTick,
  type ScheduleContent,
  type ScheduleRecord,
  type ScheduleView,
  scheduleSchema,
  tickId,
  triggerMark,
} from "../../model/schedules/schedule.ts";
import { checkSchema } from "../../model/schemaCheck.ts";
import { checkSubmission, type Submission, toSpec } from "../../model/submission.ts";
import { isFinal } from "../../model/task.ts";
import { expandTemplate } from "../../model/templates/expansion.ts";
import { wallTime } from "../../ports/clock.ts";
import { clockGapNotes } from "./clockGaps.ts";
import type {
  Backfill,
  BackfillAnswer,
  Preview,
  PutScheduleAnswer,
  ScheduleApi,
  SchedulePage,
  SchedulePreview,
} from "./scheduleApi.ts";
import { lastTicks, overlapWarning, previewTicks, shortestGap } from "./schedulePreview.ts";
import { fingerprint, toIdentity, withNormalTask } from "./submissions.ts";
import type { ServiceCalls, TemplateService } from "./templateService.ts";

export class ScheduleService implements ScheduleApi {
  readonly #calls: ServiceCalls;
  readonly #templates: TemplateService;
  readonly #calendar: Calendar;

  constructor(calls: ServiceCalls, templates: TemplateService, calendar: Calendar) {
    this.#calls = calls;
    this.#templates = templates;
    this.#calendar = calendar;
  }

  async put(name: string, asked: Json, by?: Actor): Promise<PutScheduleAnswer> {
    this.#calls.checkLeading();
    const given = withNormalTask(asked);
    checkContent(given);
    const content: ScheduleContent = given;
    this.#checkWhen(content);
    const { task, origin } = await this.#work(content, by);
    const rights = rightsOf(by);
    const more = { ...(origin !== undefined && { origin }), ...(rights !== undefined && { rights }) };
    const made = { name, content, task, ...more };
    // With the version of the template: put again, a schedule takes up a newer one.
    const mark = fingerprint({ content: given, version: origin?.version ?? null });
    const reply = await this.#calls.ask((request) => {
      return { kind: "put-schedule", request, schedule: { ...made, fingerprint: mark } };
    }, by);
    if (reply.kind !== "schedule") throw new Error(`The scheduler answered ${reply.kind} to a schedule.`);
    return { name, nextAt: reply.nextAt, isNew: reply.isNew };
  }

  async remove(name: string, by?: Actor): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "remove-schedule", request, name }), by);
  }

  async setPaused(name: string, isPaused: boolean, by?: Actor): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "pause-schedule", request, name, isPaused }), by);
  }

  async list(after: string | null, limit: number, by?: Actor): Promise<SchedulePage> {
    const { read, store } = this.#calls;
    const query = { limit, ...(after !== null && { after }) };
    const { records, isMore } = await read(() => store.listRecords("schedules", query));
    const there = records.map(({ value }) => value).filter((schedule) => isThere(schedule, by));
    return { schedules: there.map(toView), cursor: isMore ? (records.at(-1)?.id ?? null) : null };
  }

  async read(name: string, by?: Actor): Promise<ScheduleView> {
    return toView(await this.#record(name, by));
  }

  async trigger(name: string, key: string | null, by?: Actor): Promise<SubmittedTask> {
    const { clock, ids, submit } = this.#calls;
    this.#calls.checkLeading();
    const { task, origin, rights } = await this.#record(name, by);
    const own = toIdentity({ schedule: name }, undefined, key ?? ids.random(), ids, clock.now());
    const identity = { ...own, id: `${name}@${triggerMark}${own.id}` as TaskId };
    const spec = toSpec({ ...task, name: task.name ?? name }, identity);
    const more = { ...(origin !== undefined && { origin }), ...(rights !== undefined && { rights }) };
    const [submitted] = await submit([{ ...spec, ...more }], by);
    if (submitted === undefined) throw new Error("The scheduler answered a trigger with no task.");
    return submitted;
  }

  async backfill(name: string, { from, to, isDryRun }: Backfill, by?: Actor): Promise<BackfillAnswer> {
    if (to < from) throw new OutlastError("invalid", "`to` is before `from`.", { path: "/to" });
    const reply = await this.#calls.ask(
      (request) => ({ kind: "backfill-schedule", request, name, from, to, isDryRun }),
      by,
    );
    if (reply.kind !== "backfilled") throw new Error(`The scheduler answered ${reply.kind} to a backfill.`);
    return { ticks: reply.ticks.map((at) => ({ at, id: tickId(name, at) })), nextFrom: reply.nextFrom };
  }

  async preview(given: Json, { count, name, from }: Preview, by?: Actor): Promise<SchedulePreview> {
    checkContent(given);
    const content: ScheduleContent = given;
    this.#checkWhen(content);
    const { clock } = this.#calls;
    const after = from === undefined ? wallTime(clock) : from - 1;
    const ticks = previewTicks(content, after, count, this.#calendar);
    const gaps = clockGapNotes(content.when, Math.max(after, (content.startsAt ?? 0) - 1), ticks, this.#calendar);
    const warning = name === undefined ? null : await this.#warnOfOverlap(name, content, ticks, by);
    return { ticks, warnings: warning === null ? gaps : [...gaps, warning] };
  }

  /** @throws OutlastError `invalid` for a cron expression or a time zone that cannot be read, and for one that never comes */
  #checkWhen({ when }: ScheduleContent): void {
    if (!("cron" in when)) return;
    const { cron, timeZone = "UTC" } = when;
    if (this.#calendar.nextCron(cron, timeZone, this.#calls.clock.now()) !== null) return;
    throw new OutlastError("invalid", `The cron expression ${JSON.stringify(cron)} never comes.`, {
      path: "/when/cron",
    });
  }

  /** How long the tasks of the last ticks took, against the time between the next ones. */
  async #warnOfOverlap(
    name: string,
    content: ScheduleContent,
    ticks: readonly PreviewTick[],
    by: Actor | undefined,
  ): Promise<string | null> {
    const { read, store } = this.#calls;
    const record = await read(() => store.readRecord("schedules", name));
    const gapMs = shortestGap(ticks);
    if (record === null || !coversQueue(by?.queues, record.task.queue ?? defaults.queue) || gapMs === null) return null;
    const ids = lastTicks(record, limits.pastTicksMax, this.#calendar).map((at) => tickId(name, at));
    const documents = await Promise.all(ids.map((id) => read(() => store.readTask(id))));
    const durations = documents.flatMap((task) => {
      const isEnded = task !== null && task.schedule?.isBackfilled !== true && isFinal(task.state);
      return isEnded ? [task.changedAt - task.createdAt] : [];
    });
    return overlapWarning(durations, gapMs, content.overlap ?? "allow");
  }

  async #record(name: string, by: Actor | undefined): Promise<ScheduleRecord> {
    const { read, store } = this.#calls;
    const record = await read(() => store.readRecord("schedules", name));
    if (record !== null && isThere(record, by)) return record;
    throw new OutlastError("not-found", `There is no schedule ${name}.`, { hint: "`outlast schedule ls` lists them." });
  }

  /** What each tick runs. */
  async #work(
    { template, variables = {}, task, when }: ScheduleContent,
    by: Actor | undefined,
  ): Promise<Pick<ScheduleRecord, "task" | "origin">> {
    const isOnce = "at" in when;
    if (template === undefined) return { task: toTask(task ?? {}, "/task", isOnce) };
    const version = await this.#templates.read(template, null, by);
    const expanded = expandTemplate(version, variables);
    return {
      task: toTask(expanded.task as unknown as JsonObject, "/template", isOnce),
      origin: { template, version: version.version, variables: expanded.variables },
    };
  }
}

function isThere({ isRemoved, task }: ScheduleRecord, by: Actor | undefined): boolean {
  return isRemoved !== true && coversQueue(by?.queues, task.queue ?? defaults.queue);
}

/** @param path where the task comes from: the schedule itself, or its template */
function toTask(task: JsonObject, path: string, isOnce: boolean): Submission {
  if (task["id"] !== undefined || task["startAt"] !== undefined) {
    throw new OutlastError("invalid", "The task of a schedule has no id and no startAt: each tick gives it its own.", {
      path,
    });
  }
  if (task["after"] !== undefined) {
    throw new OutlastError("invalid", "The task of a schedule waits for no other task; make it a graph instead.", {
      path: `${path}/after`,
    });
  }
  if (task["uniqueKey"] !== undefined) {
    const message = 'The task of a schedule has no uniqueKey; "overlap" says what happens while an earlier one runs.';
    throw new OutlastError("invalid", message, { path: `${path}/uniqueKey` });
  }
  if (task["expiresAt"] !== undefined && !isOnce) {
    const message = "expiresAt is one instant, and all ticks after it would fail; deadlineMs counts from each tick.";
    throw new OutlastError("invalid", message, { path: `${path}/expiresAt` });
  }
  const submission: Json = task;
  checkSubmission(submission, path);
  toSpec(submission, { id: "tick" as TaskId, fingerprint: null, now: 0 }, path, { isNew: true });
  return submission;
}

/** @throws OutlastError `invalid` */
function checkContent(given: Json): asserts given is Json & ScheduleContent {
  checkSchema(scheduleSchema, given, "", "The schedule");
  if (!isObject(given)) return;
  const when = given["when"] as JsonObject;
  const kinds = ["cron", "everyMs", "at"].filter((name) => when[name] !== undefined);
  const says = (message: string, path: string): OutlastError => new OutlastError("invalid", message, { path });
  if (kinds.length !== 1) throw says("`when` has exactly one of cron, everyMs and at.", "/when");
  if (when["timeZone"] !== undefined && kinds[0] !== "cron") throw says("timeZone is for cron.", "/when/timeZone");
  if (when["from"] !== undefined && kinds[0] !== "everyMs") throw says("from is for everyMs.", "/when/from");
  if ((given["template"] === undefined) === (given["task"] === undefined)) {
    throw says("A schedule has either a template or a task.", "/task");
  }
  if (given["variables"] !== undefined && given["template"] === undefined) {
    throw says("variables are for a template.", "/variables");
  }
}

function toView({
  fingerprint: _mark,
  task: _task,
  open: _open,
  sinceAt: _since,
  isRemoved: _gone,
  ...view
}: ScheduleRecord): ScheduleView {
  return view;
}
