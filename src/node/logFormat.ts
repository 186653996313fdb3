/** Formats a JSON line of the log for people: time, level, process, message and fields. */

const reset = "\x1b[0m";
const grey = "\x1b[90m";
const levels: { readonly [level: string]: { readonly label: string; readonly color: string } } = {
  debug: { label: "debug", color: grey },
  info: { label: "info ", color: "\x1b[32m" },
  warn: { label: "warn ", color: "\x1b[33m" },
  error: { label: "ERROR", color: "\x1b[31m" },
};
const standing = new Set(["level", "time", "pid", "process", "msg"]);

/** One line, or several if an error has a stack; ends in a newline. Input that is not JSON is returned unchanged. */
export function prettyLine(json: string, hasColor: boolean): string {
  const record = parse(json);
  if (record === null) return json;
  const paint = (color: string, text: string) => (hasColor ? `${color}${text}${reset}` : text);
  const level = levels[text(record["level"])] ?? { label: text(record["level"]), color: grey };
  const fields: string[] = [];
  const stacks: string[] = [];
  for (const [name, value] of Object.entries(record)) {
    if (standing.has(name)) continue;
    const stack = stackOf(value);
    if (stack === null) fields.push(`${paint(grey, `${printable(name)}=`)}${showValue(value)}`);
    else stacks.push(stack);
  }
  const head = [
    paint(grey, clockTime(record["time"])),
    paint(level.color, level.label),
    printable(text(record["process"])),
    paint(level.color === grey ? grey : "\x1b[1m", printable(text(record["msg"]))),
  ];
  const line = [...head, ...fields].join(" ");
  return `${[line, ...stacks.map((stack) => paint(grey, indent(stack)))].join("\n")}\n`;
}

function parse(json: string): { readonly [name: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function clockTime(time: unknown): string {
  if (typeof time !== "number") return "--:--:--.---";
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

function showValue(value: unknown): string {
  if (typeof value === "string") return /^[^\s"=]+$/.test(value) ? printable(value) : printable(JSON.stringify(value));
  return printable(JSON.stringify(value) ?? "undefined");
}

function stackOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("stack" in value)) return null;
  return typeof value.stack === "string" ? value.stack : null;
}

function indent(stack: string): string {
  return stack
    .split("\n")
    .map((line) => `    ${printable(line.trim())}`)
    .join("\n");
}

/** Escapes control characters, so that text from outside cannot move the cursor or change the direction of the text. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}
