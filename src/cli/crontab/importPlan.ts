/** What an import of a crontab would do: which schedule each line becomes, and which schedules of earlier imports have no line any more. */
import { isDeepStrictEqual } from "node:util";
import type { ScheduleContent, ScheduleView } from "../../model/schedules/schedule.ts";
import { lineName } from "./lineName.ts";
import type { CrontabCommand } from "./readCrontab.ts";

export interface PlannedLine extends CrontabCommand {
  readonly name: string;
  readonly state: "new" | "changed" | "unchanged";
  /** The fields of the schedule that change: `when`, `task`, `overlap`. Empty unless it is changed. */
  readonly changes: readonly string[];
  /** Somebody has paused the schedule; it stays so. */
  readonly isPaused: boolean;
}

export interface ImportPlan {
  readonly lines: readonly PlannedLine[];
  /** Made by an earlier import with this prefix, from lines that are not there any more. */
  readonly gone: readonly ScheduleView[];
  /** Schedules of these names that no import with this prefix has made. */
  readonly clashes: readonly PlannedLine[];
  /** Schedules that this import does not touch, and that run the command of a line, too. */
  readonly doubles: readonly { readonly line: PlannedLine; readonly name: string }[];
}

/** What the description of a schedule says that an import has made: by it, a later one knows which are its own. */
export function importMark(prefix: string): string {
  return prefix === "" ? "Imported from a crontab." : `Imported from a crontab, with the prefix ${prefix}`;
}

/** @param schedules all that are there */
export function planImport(
  commands: readonly CrontabCommand[],
  schedules: readonly ScheduleView[],
  prefix: string,
): ImportPlan {
  const isOwn = ({ content }: ScheduleView): boolean => content.description === importMark(prefix);
  const known = new Map(schedules.map((schedule) => [schedule.name, schedule]));
  const names = nameLines(commands, new Map([...known].filter(([, schedule]) => isOwn(schedule))), prefix);
  const lines = commands.map((command): PlannedLine => {
    const name = names.get(command) ?? "";
    const before = known.get(name);
    const changes = before === undefined ? [] : changedFields(before.content, command.content);
    const state = before === undefined ? "new" : changes.length === 0 ? "unchanged" : "changed";
    return { ...command, name, state, changes, isPaused: before?.isPaused === true };
  });
  const taken = new Set(lines.map(({ name }) => name));
  const others = schedules.filter(({ name }) => !taken.has(name));
  const foreign = others.filter((schedule) => !isOwn(schedule));
  return {
    lines,
    gone: others.filter(isOwn),
    clashes: lines.filter(({ name }) => known.has(name) && !isOwn(known.get(name) as ScheduleView)),
    doubles: lines.flatMap((line) =>
      foreign.filter(({ content }) => runsSame(content, line.content)).map(({ name }) => ({ line, name })),
    ),
  };
}

/**
 * Lines of the same command share a name, with a number from the second on. Of those, a line keeps the schedule that has its times, so
 * that it keeps it when others come and go; what is left is dealt out in order.
 */
function nameLines(
  commands: readonly CrontabCommand[],
  own: ReadonlyMap<string, ScheduleView>,
  prefix: string,
): ReadonlyMap<CrontabCommand, string> {
  const names = new Map<CrontabCommand, string>();
  const groups = Map.groupBy(commands, ({ command }) => lineName(prefix, command));
  for (const [base, group] of groups) {
    const numbered = (number: number): string => (number === 1 ? base : `${base}-${number}`);
    const free = new Set([...own.keys()].filter((name) => name === base || isNumbered(name, base)));
    const take = (command: CrontabCommand, name: string | undefined): void => {
      if (name === undefined) return;
      names.set(command, name);
      free.delete(name);
    };
    for (const rule of [isDeepStrictEqual, isSameTime]) {
      for (const command of group.filter((each) => !names.has(each)))
        take(
          command,
          [...free].find((name) => rule(own.get(name)?.content, command.content)),
        );
    }
    for (const command of group.filter((each) => !names.has(each))) take(command, [...free].sort(byNumber)[0]);
    let number = 1;
    for (const command of group.filter((each) => !names.has(each))) {
      const used = new Set(names.values());
      while (used.has(numbered(number))) number += 1;
      take(command, numbered(number));
    }
  }
  return names;
}

function isNumbered(name: string, base: string): boolean {
  return name.startsWith(`${base}-`) && /^[1-9]\d{0,5}$/.test(name.slice(base.length + 1));
}

/** `a`, `a-2`, `a-10`: the shorter first. */
function byNumber(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : 1);
}

function isSameTime(one: ScheduleContent | undefined, other: ScheduleContent): boolean {
  return isDeepStrictEqual(one?.when, other.when);
}

function changedFields(before: ScheduleContent, after: ScheduleContent): readonly string[] {
  const [one, other] = [new Map(Object.entries(withDefaults(before))), new Map(Object.entries(withDefaults(after)))];
  const fields = [...new Set([...other.keys(), ...one.keys()])];
  return fields.filter((field) => !isDeepStrictEqual(one.get(field), other.get(field)));
}

function withDefaults(content: ScheduleContent): ScheduleContent {
  return { overlap: "allow", missed: "latest", jitterMs: 0, isPaused: false, ...content };
}

function runsSame({ task }: ScheduleContent, other: ScheduleContent): boolean {
  return task !== undefined && isDeepStrictEqual(task["input"], other.task?.["input"]);
}
