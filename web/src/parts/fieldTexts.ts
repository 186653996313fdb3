/** What is typed into fields, and the values that it comes to. */

/** A field cannot be read: the message names it and says what it takes. */
export class UnreadableField extends Error {}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/**
 * A number and a unit: `90s`, `15m`, `2h`, `1d`.
 * @param name of the field, as its sentence begins
 * @throws UnreadableField
 */
export function durationMsOf(text: string, name: string): number {
  const [, count, wanted] = /^\s*(\d+(?:\.\d+)?)\s*([dhms])\s*$/.exec(text) ?? [];
  const unit = units.find(([each]) => each === wanted)?.[1];
  if (unit === undefined) throw new UnreadableField(`${name} is a number and a unit: 90s, 15m, 2h, 1d.`);
  return Math.round(Number(count) * unit);
}

/** In the largest unit that needs no fraction. */
export function durationField(ms: number): string {
  const [name, unit] = units.find(([, each]) => ms % each === 0) ?? ["s", 1000];
  return `${ms / unit}${name}`;
}

/** Names or patterns with spaces or commas between them; undefined for none, which stands for all. */
export function patternsOf(text: string): string[] | undefined {
  return noneAsAbsent(text.split(/[\s,]+/));
}

/** Each line is one of them, since they may contain spaces; undefined for none. */
export function linesOf(text: string): string[] | undefined {
  return noneAsAbsent(text.split("\n").map((line) => line.trim()));
}

function noneAsAbsent(texts: readonly string[]): string[] | undefined {
  const found = texts.filter((text) => text !== "");
  return found.length === 0 ? undefined : found;
}

/** A task as JSON. @throws UnreadableField */
export function taskOf(text: string): { [name: string]: unknown } {
  let task: unknown;
  try {
    task = JSON.parse(text);
  } catch {
    throw new UnreadableField("The task is not valid JSON.");
  }
  if (typeof task !== "object" || task === null || Array.isArray(task))
    throw new UnreadableField('The task is an object, such as {"kind": "sleep", "input": {"seconds": 1}}.');
  return task as { [name: string]: unknown };
}
