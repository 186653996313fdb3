/** Names the schedule of a line in a crontab by the line's command: readable, and the same wherever the line stands and whenever it runs. */
import { createHash } from "node:crypto";

const stemLengthMax = 40;
const digits = 8;
/** Commands that only prepare the one behind them; each ends at `&&`, `||` or `;`. */
const preparing = new Set(["cd", "test", "[", "[[", "export", "umask", "ulimit", "sleep", "set", ".", "source", ":"]);
/** Programs that run the one behind them. */
const wrappers = /^(exec|env|nice|ionice|chronic|sudo|time|timeout|nohup|setsid|flock)$/;
const interpreters = /^(sh|bash|dash|zsh|ksh|python[\d.]*|perl|ruby|php[\d.]*|node)$/;

/** `backup.sh-3f9a12c0`: the program, and a digest of the command as it stands in the crontab. */
export function lineName(prefix: string, command: string): string {
  const digest = createHash("sha256").update(command).digest("hex").slice(0, digits);
  return `${prefix}${stemOf(command)}-${digest}`;
}

/** The program that a person would name it by; "line" if none can be made out. */
function stemOf(command: string): string {
  const parts = command.split(/&&|\|\||[;|(){}%]/).map((part) => programOf(part.trim().split(/\s+/)));
  const program = parts.find((each) => each !== "" && !preparing.has(each)) ?? parts[0] ?? "";
  const readable = program.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
  return readable.slice(0, stemLengthMax) || "line";
}

function programOf(words: readonly string[]): string {
  const [first = "", ...others] = words.map((word) => word.replaceAll(/^["']+|["']+$/g, ""));
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(first)) return programOf(others);
  const name = first.split("/").at(-1) ?? "";
  if (interpreters.test(name)) return scriptOf(others, name);
  if (!wrappers.test(name)) return name;
  const behind = withoutOptions(others);
  // The first operand of flock is the lock.
  return programOf(name === "flock" ? withoutOptions(behind.slice(1)) : behind) || name;
}

/** Without numbers and durations, too: `-n 10`, `5m`; some letters have a word behind them. */
function withoutOptions(words: readonly string[]): readonly string[] {
  const [first = ""] = words;
  if (/^-[ugkw]$/.test(first)) return withoutOptions(words.slice(2));
  return /^(-.*|\d+[smhd]?)$/.test(first) ? withoutOptions(words.slice(1)) : words;
}

/** `python3 /srv/report.py` is known as `report.py`, `php artisan` as `artisan`; `sh -c '…'` stays what it is. */
function scriptOf(operands: readonly string[], interpreter: string): string {
  const script = operands.find((word) => !word.startsWith("-"));
  return script === undefined || operands.includes("-c") ? interpreter : (script.split("/").at(-1) ?? interpreter);
}
