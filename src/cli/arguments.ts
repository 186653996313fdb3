/** Parsers of command line arguments. Each throws commander's InvalidArgumentError with a message. */
import { InvalidArgumentError } from "commander";
import { isId, isTaskId, labelPattern, workerOf } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import { type TaskState, taskStates } from "../model/task.ts";
import { gibibyte, kibibyte, mebibyte } from "../model/units.ts";
import type { QueueRate } from "../model/worker.ts";
import { masterAddress } from "../sdk/masterAddress.ts";
import { parseDuration, parseInstant } from "./duration.ts";

export function duration(text: string): number {
  return asArgument(() => parseDuration(text));
}

/** Like `duration`, but longer than 0. */
export function positiveDuration(text: string): number {
  const ms = duration(text);
  if (ms === 0) throw new InvalidArgumentError("Must be longer than 0.");
  return ms;
}

export function instant(text: string): number {
  return asArgument(() => parseInstant(text, Date.now()));
}

/** A parser for whole numbers between two bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || value < min || value > max) {
      throw new InvalidArgumentError(`Must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A parser for numbers between two bounds, not only whole ones. */
export function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text.trim()) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Must be a number from ${min} to ${max}.`);
  };
}

/** A size with its unit: 512MiB, 2GiB, 100000. */
export function bytes(text: string): number {
  const [, number = "", unit = "b"] = /^(\d+(?:\.\d+)?)(b|kib|mib|gib)?$/i.exec(text) ?? [];
  const factors: { readonly [unit: string]: number } = { b: 1, kib: kibibyte, mib: mebibyte, gib: gibibyte };
  const value = Math.round(Number(number) * (factors[unit.toLowerCase()] ?? Number.NaN));
  if (number !== "" && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("Must be a size, such as 512MiB or 2GiB.");
}

/** `100/1m`: so many tasks in that time. */
export function rateArgument(text: string): QueueRate {
  const [count = "", per = "", ...rest] = text.split("/");
  if (!/^\d/.test(per) || rest.length > 0) throw new InvalidArgumentError('Must be like "100/1m", or "none".');
  const perMs = positiveDuration(per);
  if (perMs > limits.ratePerMsMax) throw new InvalidArgumentError("The time must not be longer than 7 days.");
  return { count: wholeNumber(1, limits.rateCountMax)(count), perMs };
}

/** A parser that takes `none` as well. It stays a word: of null, commander would make an empty text. */
export function orNone<Value>(parse: (text: string) => Value): (text: string) => Value | "none" {
  return (text) => (text === "none" ? text : parse(text));
}

export function commaList(text: string): readonly string[] {
  const items = text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  if (items.length === 0) throw new InvalidArgumentError("The list is empty.");
  return items;
}

/** The id of any task: one of a client's choice, of a child or of a tick. */
export function taskArgument(text: string): string {
  if (isTaskId(text)) return text;
  throw new InvalidArgumentError("This is not the id of a task: letters, digits and . _ : - @ ~");
}

export function idArgument(text: string): string {
  if (isId(text)) return text;
  throw new InvalidArgumentError(`Must be 1 to ${limits.idLengthMax} characters: letters, digits and . _ : -`);
}

/** An idempotency key, as the API takes it. */
export function keyArgument(text: string): string {
  if (/^[\x20-\x7e]+$/.test(text) && text.length <= limits.idempotencyKeyLengthMax) return text;
  throw new InvalidArgumentError(`Must be 1 to ${limits.idempotencyKeyLengthMax} printable ASCII characters.`);
}

export function idList(text: string): readonly string[] {
  return commaList(text).map(idArgument);
}

/** As browsers send them: in lower case. */
export function hostNames(text: string): readonly string[] {
  return commaList(text).map((name) => {
    const url = `http://${name}/`;
    if (!/[:/@?#*]/.test(name) && URL.canParse(url)) return new URL(url).hostname;
    throw new InvalidArgumentError("Each is the name of a host without a scheme or a port, such as lb.example.");
  });
}

/** Patterns of queues: names, with a `*` at the end for any rest. */
export function patternList(text: string): readonly string[] {
  return commaList(text).map((pattern) => {
    if (pattern === "*" || isId(pattern.replace(/[*]$/, ""))) return pattern;
    throw new InvalidArgumentError("Each must be the name of a queue, or the beginning of names with a * behind it.");
  });
}

/** Any JSON value. */
export function json(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new InvalidArgumentError(`Not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Labels of a worker, or those that a task requires. */
export function taskList(text: string): readonly string[] {
  return commaList(text).map(taskArgument);
}

export function labelList(text: string): readonly string[] {
  return commaList(text).map((item) => {
    if (new RegExp(labelPattern).test(item)) return item;
    throw new InvalidArgumentError(
      `"${item}" is not a label: 1 to ${limits.labelLengthMax} letters, digits and . _ : / = -`,
    );
  });
}

/** Labels that a worker is given; that of its name it carries by itself. */
export function ownLabels(text: string): readonly string[] {
  const labels = labelList(text);
  const named = labels.find((label) => workerOf([label]) !== null);
  if (named === undefined) return labels;
  throw new InvalidArgumentError(`"${named}" is the label of a worker of that name, which carries it by itself.`);
}

export function stateList(text: string): readonly TaskState[] {
  return commaList(text).map((item) => {
    const state = taskStates.find((known) => known === item.toLowerCase());
    if (state === undefined)
      throw new InvalidArgumentError(`Unknown state "${item}". The states are: ${taskStates.join(", ")}.`);
    return state;
  });
}

/** Base URLs of masters. */
export function masterList(text: string): readonly string[] {
  return commaList(text).map(baseUrl);
}

export function baseUrl(text: string): string {
  const url = masterAddress(text);
  if (url !== null) return url;
  throw new InvalidArgumentError(`"${text}" is not the address of a master, such as http://127.0.0.1:7070.`);
}

export function collectorUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError(`"${text}" is not the address of a collector, such as http://127.0.0.1:4318.`);
}

/** `NAME=value`, collected into an object. */
export function environment(
  text: string,
  before: { readonly [name: string]: string } = {},
): { readonly [name: string]: string } {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write it as NAME=value.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `NAME` of a variable of this process, collected into an object with its value: an argument would show it to other users. */
export function ownVariable(
  name: string,
  before: { readonly [name: string]: string } = {},
): { readonly [name: string]: string } {
  const value = process.env[name];
  if (value === undefined) throw new InvalidArgumentError(`This command has no variable ${name} in its environment.`);
  return { ...before, [name]: value };
}

function asArgument<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
