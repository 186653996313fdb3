/**
 * Reads a user's crontab as cron does (crontab(5) of Debian's cron): variables, five fields or a word such as `@daily`, `%` for the
 * lines of stdin. Each command becomes a schedule.
 */
import { isId } from "../model/ids.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { forbiddenEnvironment } from "../model/kinds/exec.ts";
import type { ScheduleContent } from "../model/schedules/schedule.ts";
import { checkSubmission } from "../model/submission.ts";
import { UsageError } from "./failure.ts";

const words: { readonly [word: string]: string } = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const variable = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;
const entry = /^\s*(@[a-z]+|(?:\S+\s+){4}\S+)\s+(.+?)\s*$/;

export interface ImportOptions {
  /** What the names of the schedules begin with. */
  readonly prefix: string;
  /** Of lines above which no `CRON_TZ` stands. */
  readonly timeZone: string;
  readonly queue?: string;
}

export interface ImportedSchedule {
  readonly name: string;
  readonly content: ScheduleContent;
  /** As it stands in the crontab. */
  readonly command: string;
}

/** @throws UsageError that names every line that cannot be taken over */
export function readCrontab(text: string, options: ImportOptions): readonly ImportedSchedule[] {
  const environment = new Map<string, string>();
  const schedules: ImportedSchedule[] = [];
  const problems: string[] = [];
  const names = new Map<string, number>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, value = ""] = variable.exec(line) ?? [];
    if (name !== undefined) {
      environment.set(name, unquoted(value));
      continue;
    }
    const [, when = "", command = ""] = entry.exec(line) ?? [];
    const cron = when.startsWith("@") ? words[when] : when.replaceAll(/\s+/g, " ");
    if (cron === undefined || cron === "") {
      const why = when === "@reboot" ? "a cluster has no start of a machine" : "it has no five fields and a command";
      problems.push(`line ${index + 1}: ${why}`);
      continue;
    }
    const content = toContent(cron, command, environment, options);
    try {
      checkSubmission(content.task as Json, "/task");
      schedules.push({ name: nameFor(command, options.prefix, names), content, command });
    } catch (error) {
      problems.push(`line ${index + 1}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0) throw new UsageError(`The crontab cannot be taken over: ${problems.join("; ")}.`);
  return schedules;
}

function unquoted(value: string): string {
  const [, , inside] = /^(["'])(.*)\1$/.exec(value) ?? [];
  return inside ?? value;
}

function toContent(
  cron: string,
  command: string,
  environment: ReadonlyMap<string, string>,
  { timeZone, queue }: ImportOptions,
): ScheduleContent {
  const {
    CRON_TZ: zone = timeZone,
    SHELL: shell = "/bin/sh",
    MAILTO: _mail,
    ...given
  } = Object.fromEntries(environment);
  const [exported, env] = byOwner(given);
  const [line, stdin] = splitAtPercent(command);
  const program = exported + line;
  const input: JsonObject = {
    ...(shell === "/bin/sh" ? { shell: true, command: [program] } : { command: [shell, "-c", program] }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(env["HOME"] !== undefined && { cwd: env["HOME"] }),
    ...(stdin !== null && { stdin }),
  };
  return {
    when: { cron, timeZone: zone },
    task: { kind: "exec", input, ...(queue !== undefined && { queue }) },
  };
}

/** A task may not set some variables of its worker, such as PATH: the shell does, in front of the command. */
function byOwner(variables: { readonly [name: string]: string }): [exported: string, env: { [name: string]: string }] {
  const all = Object.entries(variables);
  const ofWorker = all.filter(([name]) => forbiddenEnvironment.test(name));
  const exports = ofWorker.map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'; `);
  return [exports.join(""), Object.fromEntries(all.filter(([name]) => !forbiddenEnvironment.test(name)))];
}

/** All behind the first `%` is stdin, in which each further one is the end of a line; `\%` is a percent sign. */
function splitAtPercent(command: string): [program: string, stdin: string | null] {
  const [program = "", ...lines] = command.split(/(?<!\\)%/).map((part) => part.replaceAll("\\%", "%"));
  return [program, lines.length === 0 ? null : `${lines.join("\n")}\n`];
}

/** By the program, so that a name stays when other lines come and go: `backup.sh`, and `backup.sh-2` for its second line. */
function nameFor(command: string, prefix: string, taken: Map<string, number>): string {
  const program = /^\S+/.exec(command)?.[0].split("/").at(-1) ?? "";
  const base = `${prefix}${program.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "line"}`;
  const number = (taken.get(base) ?? 0) + 1;
  taken.set(base, number);
  const name = number === 1 ? base : `${base}-${number}`;
  if (isId(name)) return name;
  throw new UsageError(`"${String(name)}" cannot be the name of a schedule.`, "Choose another --prefix.");
}
