/** What a simulated client does with schedules: puts, edits, pauses, triggers, backfills and removes them, at any moment. */
import type { Json, JsonObject } from "../../model/json.ts";
import { simulatedZones } from "../calendar/simulatedZones.ts";
import { programKind } from "../checkers/scripts.ts";
import type { RunningMaster } from "./call.ts";
import { worldBeganAt } from "./clock.ts";
import { simulatedCommand } from "./executor.ts";
import type { Knobs } from "./knobs.ts";
import { drawProgram } from "./programs.ts";
import type { Random } from "./random.ts";

export interface ScheduleAct {
  readonly label: string;
  readonly perform: (master: RunningMaster) => Promise<unknown>;
}

/** Times with a `*` follow real time; the others are fixed times, each of which comes once in each local minute. */
const crons = [
  "*/5 * * * * *",
  "*/13 * * * * *",
  "15 * * * * *",
  "30 0-59 0-23 * * *",
  "10,40 0-59 0-23 * * *",
  "0-59/9 0-59 0-23 * * *",
];

/** @param wanted the schedule; any of them if left out */
export function drawScheduleAct(random: Random, knobs: Knobs, wanted?: string): ScheduleAct {
  const name = wanted ?? `ticks-${random.integer(1, knobs.schedules)}`;
  const act = (verb: string, perform: ScheduleAct["perform"]): ScheduleAct => ({
    label: `${verb} of ${name}`,
    perform,
  });
  const share = random.next();
  if (share < 0.35) {
    const content = drawSchedule(random, knobs);
    return act("put", ({ face }) => face.schedules.put(name, content));
  }
  if (share < 0.47) return act("pause", ({ face }) => face.schedules.setPaused(name, true));
  if (share < 0.6) return act("resume", ({ face }) => face.schedules.setPaused(name, false));
  if (share < 0.67) return act("trigger", ({ face }) => face.schedules.trigger(name, null));
  if (share < 0.75) return act("removal", ({ face }) => face.schedules.remove(name));
  if (share < 0.95) {
    // Half of them of the time before there were any schedules, in stretches that lie apart.
    const isBefore = random.chance(0.5);
    const from = worldBeganAt - random.spread(1, 60_000) + (isBefore ? 0 : random.integer(0, knobs.unsafeMs));
    const to = from + random.spread(1_000, isBefore ? 15_000 : 90_000);
    const backfill = { from, to, isDryRun: random.chance(0.2) };
    return act("backfill", ({ face }) => face.schedules.backfill(name, backfill));
  }
  return act("reading", ({ face }) => face.schedules.read(name));
}

function drawSchedule(random: Random, knobs: Knobs): JsonObject {
  const sometimes = (chance: number, name: string, value: () => Json): JsonObject =>
    random.chance(chance) ? { [name]: value() } : {};
  return {
    when: drawWhen(random, knobs),
    task: drawTask(random, knobs),
    ...sometimes(0.7, "overlap", () => random.pick(["allow", "skip", "queue", "cancel"])),
    ...sometimes(0.7, "missed", () => random.pick(["skip", "latest", "all"])),
    missedWindowMs: random.spread(1_000, 240_000),
    ...sometimes(0.25, "jitterMs", () => random.spread(1, 100_000)),
    ...sometimes(0.1, "startsAt", () => worldBeganAt + random.integer(0, knobs.unsafeMs)),
    ...sometimes(0.1, "endsAt", () => worldBeganAt + random.integer(knobs.unsafeMs / 2, 2 * knobs.unsafeMs)),
    ...sometimes(0.07, "isPaused", () => true),
  };
}

function drawWhen(random: Random, knobs: Knobs): JsonObject {
  const share = random.next();
  if (share < 0.1) return { at: worldBeganAt + random.integer(0, knobs.unsafeMs) };
  if (share < 0.45) return { everyMs: random.spread(2_000, 30_000), from: worldBeganAt + random.integer(0, 5_000) };
  return { cron: random.pick(crons), timeZone: random.pick(simulatedZones) };
}

function drawTask(random: Random, knobs: Knobs): JsonObject {
  const durationMs = random.spread(5, Math.min(knobs.taskMsMax, 12_000));
  const common = { attemptsMax: random.integer(1, 2), backoffBaseMs: 50, backoffMaxMs: 1_000 };
  if (knobs.kinds.includes(programKind) && random.chance(0.1)) {
    return { ...common, kind: programKind, input: drawProgram(random, 2) as unknown as Json };
  }
  if (random.chance(0.5)) return { ...common, kind: "sleep", input: { seconds: durationMs / 1000 } };
  return { ...common, kind: "exec", input: { command: simulatedCommand(durationMs, random.pick([0, 20, 100])) } };
}
