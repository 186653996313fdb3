/**
 * Reads a crontab as cron does (crontab(5) of Debian's cron): variables, five fields or a word such as `@daily`, `%` for the lines of
 * stdin. Each command becomes the content of a schedule.
 */
import type { Json, JsonObject } from "../../model/json.ts";
import { forbiddenEnvironment } from "../../model/kinds/exec.ts";
import type { Overlap, ScheduleContent } from "../../model/schedules/schedule.ts";
import { checkSubmission } from "../../model/submission.ts";

const words: { readonly [word: string]: string } = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const variable = /^\s*([A-Za-z_][A-Za-z0-9_]*|"[^"]+"|'[^']+')\s*=\s*(.*?)\s*$/;
const entry = /^\s*(@[a-z]+|(?:\S+\s+){4}\S+)\s+(.+?)\s*$/;
const userAndCommand = /^([A-Za-z_][A-Za-z0-9_.-]*)\s+(.+)$/;
/** Users of system crontabs whose names are no commands. */
const userOfSystem = /^(root|nobody|daemon|www-data)\s/;
/** Shells that know `cd; export NAME='value'; …`. */
const bourneShell = /\/(ba|da|z|k|a)?sh$/;

export interface CrontabOptions {
  /** What stands in the `description` of each schedule. */
  readonly description: string;
  /** Of lines above which no `CRON_TZ` stands. */
  readonly timeZone: string;
  readonly overlap: Overlap;
  readonly attemptsMax: number;
  readonly killsMax?: number;
  readonly queue?: string;
  /** True for /etc/crontab and the like, whose lines name a user before the command. */
  readonly isSystem: boolean;
}

export interface CrontabCommand {
  /** Counted from 1. */
  readonly line: number;
  /** As it stands in the crontab. */
  readonly text: string;
  /** What the name of its schedule follows from: all behind the fields of time, and behind the user. */
  readonly command: string;
  /** What the shell runs, without what is put in front of it; `%` is read. */
  readonly program: string;
  /** Its user in a system crontab. */
  readonly user?: string;
  /** The path of the shell that runs it. */
  readonly shell: string;
  /** Variables that its shell exports, as a task may not set them. */
  readonly exported: { readonly [name: string]: string };
  readonly content: ScheduleContent;
}

export interface CrontabProblem {
  /** Counted from 1. */
  readonly line: number;
  /** As it stands in the crontab. */
  readonly text: string;
  readonly why: string;
}

export interface Crontab {
  readonly commands: readonly CrontabCommand[];
  /** Lines that cannot be taken over. A cron expression is not looked at: masters read it. */
  readonly problems: readonly CrontabProblem[];
}

export function readCrontab(text: string, options: CrontabOptions): Crontab {
  const environment = new Map<string, string>();
  const commands: CrontabCommand[] = [];
  const problems: CrontabProblem[] = [];
  for (const [index, given] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(given)) continue;
    const place = { line: index + 1, text: given.trim() };
    try {
      const [, name, value = ""] = variable.exec(given) ?? [];
      if (name === undefined) commands.push({ ...place, ...readCommand(given, environment, options) });
      else setVariable(environment, unquoted(name), unquoted(value));
    } catch (error) {
      problems.push({ ...place, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { commands, problems };
}

function setVariable(environment: Map<string, string>, name: string, value: string): void {
  if (name === "CRON_TZ" && !isTimeZone(value)) throw new Error(`unknown time zone "${value}"`);
  environment.set(name, value);
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function unquoted(value: string): string {
  const [, , inside] = /^(["'])(.*)\1$/.exec(value) ?? [];
  return inside ?? value;
}

function readCommand(
  line: string,
  environment: ReadonlyMap<string, string>,
  options: CrontabOptions,
): Omit<CrontabCommand, "line" | "text"> {
  const [, when = "", rest = ""] = entry.exec(line) ?? [];
  const [user, command] = options.isSystem ? userOf(rest) : [undefined, rest];
  if (!options.isSystem && userOfSystem.test(rest)) {
    throw new Error(`"${/^\S+/.exec(rest)?.[0]}" looks like the user of a system crontab; add --system`);
  }
  const cron = cronOf(when);
  const read = toContent(cron, command, environment, options);
  checkSubmission(read.content.task as Json, "/task");
  return { command, ...(user !== undefined && { user }), ...read };
}

function cronOf(when: string): string {
  if (when === "") throw new Error("it has no five fields and a command");
  if (when === "@reboot") {
    const instead = "let the service manager of the machine run it (systemd), and take the line out";
    throw new Error(`@reboot does not exist here, as a cluster has no start of a machine: ${instead}`);
  }
  if (!when.startsWith("@")) return daysAsInCron(when.trim().split(/\s+/)).join(" ");
  const cron = words[when];
  if (cron === undefined) throw new Error(`unknown word ${when}; there are ${Object.keys(words).join(", ")}`);
  return cron;
}

/** For cron, a field of days that begins with `*`, such as `*\/2`, is no choice of its own: both must fit then. `+` says so. */
function daysAsInCron(fields: readonly string[]): readonly string[] {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  const isStep = (field: string): boolean => field.startsWith("*") && field !== "*";
  const both = (isStep(day) && weekday !== "*") || (isStep(weekday) && day !== "*");
  return [minute, hour, day, month, both ? `+${weekday}` : weekday];
}

function userOf(rest: string): readonly [user: string, command: string] {
  const [, user, command] = userAndCommand.exec(rest) ?? [];
  if (user !== undefined && command !== undefined) return [user, command];
  throw new Error("it has no five fields, a user and a command, as lines of a system crontab have");
}

function toContent(
  cron: string,
  command: string,
  environment: ReadonlyMap<string, string>,
  { timeZone, queue, overlap, attemptsMax, killsMax, description }: CrontabOptions,
): Pick<CrontabCommand, "program" | "shell" | "exported" | "content"> {
  const {
    CRON_TZ: zone = timeZone,
    SHELL: shell = "/bin/sh",
    MAILTO: _mail,
    ...given
  } = Object.fromEntries(environment);
  const [exported, env] = byOwner(given);
  const [program, stdin] = splitAtPercent(command);
  const { HOME: home } = env;
  // As cron does, it begins in the home folder; without HOME in the crontab, only the worker knows that.
  const before = `${home === undefined ? "cd; " : ""}${exportsOf(exported)}`;
  const input: JsonObject = {
    ...toCommand(shell, before, program),
    ...(Object.keys(env).length > 0 && { env }),
    ...(home !== undefined && { cwd: home }),
    ...(stdin !== null && { stdin }),
  };
  const more = { attemptsMax, ...(killsMax !== undefined && { killsMax }), ...(queue !== undefined && { queue }) };
  const task = { kind: "exec", input, ...more };
  return { program, shell, exported, content: { description, when: { cron, timeZone: zone }, task, overlap } };
}

function toCommand(shell: string, before: string, program: string): JsonObject {
  if (shell === "/bin/sh") return { shell: true, command: [before + program] };
  if (bourneShell.test(shell)) return { command: [shell, "-c", before + program] };
  return { command: ["/bin/sh", "-c", `${before}exec "$0" -c "$1"`, shell, program] };
}

type Variables = { readonly [name: string]: string };

/** A task may not set some variables of its worker, such as PATH: the shell does, in front of the command. */
function byOwner(variables: Variables): [exported: Variables, env: Variables] {
  const all = Object.entries(variables);
  const isOfWorker = ([name]: [string, string]): boolean => forbiddenEnvironment.test(name);
  return [Object.fromEntries(all.filter(isOfWorker)), Object.fromEntries(all.filter((each) => !isOfWorker(each)))];
}

function exportsOf(variables: Variables): string {
  const all = Object.entries(variables);
  return all.map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'; `).join("");
}

/** All behind the first `%` is stdin, in which each further one is the end of a line; `\%` is a percent sign. */
function splitAtPercent(command: string): [program: string, stdin: string | null] {
  const [program = "", ...lines] = command.split(/(?<!\\)%/).map((part) => part.replaceAll("\\%", "%"));
  return [program, lines.length === 0 ? null : `${lines.join("\n")}\n`];
}
