/** Reads a schedule from a file, in which instants may be written as people write them: `startsAt: 2027-01-31T08:00Z`. */
import type { JsonObject } from "../model/json.ts";
import { isObject } from "../model/kinds/kind.ts";
import type { ScheduleContent } from "../model/schedules/schedule.ts";
import { readContent } from "./contentFile.ts";
import { parseInstant } from "./duration.ts";
import { UsageError } from "./failure.ts";

export interface ScheduleFile {
  /** As the file says; not checked. */
  readonly name?: unknown;
  /** Not checked beyond its instants: that is what masters do. */
  readonly content: ScheduleContent;
}

/** @throws UsageError if the file holds no object, or an instant that cannot be read */
export async function readScheduleFile(file: string): Promise<ScheduleFile> {
  const { name, ...given } = await readContent(file);
  const { when } = given;
  const content = {
    ...withInstants(given, ["startsAt", "endsAt"]),
    ...(isObject(when) && { when: withInstants(when, ["at", "from"]) }),
  };
  return { name, content: content as unknown as ScheduleContent };
}

function withInstants(fields: JsonObject, names: readonly string[]): JsonObject {
  const read: { [name: string]: number } = {};
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "string") read[name] = instantOf(name, value);
  }
  return { ...fields, ...read };
}

function instantOf(name: string, text: string): number {
  try {
    return parseInstant(text, Date.now());
  } catch (error) {
    throw new UsageError(`"${name}" is no time: ${JSON.stringify(text)}.`, (error as Error).message);
  }
}
