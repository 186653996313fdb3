/** Values that programs stumble over, and where each kind of schema has its edges. */
import { limits } from "../../model/limits.ts";
import type { Random } from "../simulation/random.ts";
import { isPlain, Members, RawText } from "./jsonText.ts";
import type { Schema } from "./operations.ts";

const numberTexts = [
  ...["0", "-0", "-1", "1.5", "1e-400", "1e400", "-1e400", "9007199254740991", "9007199254740992", "-9007199254740993"],
  ...["2147483648", "4294967296", "18446744073709551616", "8640000000000001", "99999", "0.1e1", "1E2", "NaN", "01"],
];

export const badTexts: readonly string[] = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udc00\ud800",
  "\ufeff",
  "a\u202eb",
  "\u2028",
  "\u001b[2J\u001b]0;owned\u0007",
  "../../../etc/passwd",
  "..",
  "..\\..\\x",
  "%2e%2e%2fx",
  "/etc/passwd",
  "CON",
  "a/b",
  "__proto__",
  "constructor",
  "toString",
  "$gt",
  "a.b.c",
  "' OR 1=1 --",
  "<script>alert(1)</script>",
  `\${7*7}`,
  "\r\nx-injected: yes",
  "NaN",
  "null",
  "٣",
  "İ",
  "𝒳".repeat(64),
];

const lengths = [limits.idLengthMax, limits.nameLengthMax, 512, limits.errorMessageLengthMax, limits.stringBytesMax];

/** A text that is exactly at, or one beyond, one of the bounds on texts. */
function longText(random: Random): string {
  return "x".repeat(random.pick(lengths) + random.integer(-1, 1));
}

/** What stands in the place of a good value. */
export function badValue(random: Random, schema: Schema | null): unknown {
  const kind = random.integer(0, 11);
  if (schema !== null && kind >= 8) return edgeOf(random, schema) ?? badScalar(random);
  if (kind < 5) return badScalar(random);
  return random.pick([
    () => null,
    () => [],
    () => ({}),
    () => ({ $gt: "" }),
    () => ({ $where: "sleep(1000)" }),
    () => new Members([["__proto__", { isAdmin: true }]]),
    () => ({ constructor: { prototype: { isAdmin: true } } }),
    () => ({ toString: 1, valueOf: null, hasOwnProperty: true, length: -1 }),
    () => nested(random.pick([limits.jsonDepthMax - 1, limits.jsonDepthMax, limits.jsonDepthMax + 1, 5_000])),
    () => Object.fromEntries(Array.from({ length: random.pick([999, 1000, 1001]) }, (_, index) => [`k${index}`, 0])),
    () => Array.from({ length: random.pick([1, 200, 1001, 10_001]) }, () => null),
  ])();
}

function badScalar(random: Random): unknown {
  return random.pick([
    () => new RawText(random.pick(numberTexts)),
    () => random.pick(badTexts),
    () => longText(random),
    () => random.chance(0.5),
    () => String(random.integer(-2, 2)),
    // Without its quotes this is no JSON.
    () => new RawText(random.pick(["undefined", "'a'", "[1,]", '{"a":1,}', "/**/1", '"\\x"', '"\n"', "+1", "", "tru"])),
  ])();
}

/** The last good value, or the first bad one. */
function edgeOf(random: Random, schema: Schema): unknown {
  const bounds = [schema["minimum"], schema["maximum"]].filter((bound) => typeof bound === "number");
  if (bounds.length > 0) return new RawText(String(random.pick(bounds) + random.integer(-1, 1)));
  const { maxLength, minLength, maxItems, pattern, enum: names } = schema;
  if (typeof maxLength === "number") return "y".repeat(Math.max(0, maxLength + random.integer(-1, 1)));
  if (typeof minLength === "number") return "";
  const idMax = typeof pattern === "string" ? /\{1,(\d+)\}/.exec(pattern)?.[1] : undefined;
  if (idMax !== undefined) return "z".repeat(Number(idMax) + random.integer(-1, 1));
  if (typeof maxItems === "number") return Array.from({ length: maxItems + random.integer(0, 1) }, () => "a");
  if (Array.isArray(names)) return String(random.pick(names)).toUpperCase();
  return undefined;
}

function nested(depth: number): RawText {
  return new RawText(`${"[".repeat(depth)}${"]".repeat(depth)}`);
}

/** An object with something added, doubled or taken away. */
export function badMembers(random: Random, value: unknown): unknown {
  if (!isPlain(value)) return badValue(random, null);
  const entries = Object.entries(value);
  const victim = entries.length === 0 ? null : random.pick(entries);
  return random.pick([
    () => new Members([...entries, [random.pick([...badTexts, "extra", "isAdmin", "_id", "host", "state"]), 1]]),
    () => new Members(victim === null ? entries : [...entries, [victim[0], badValue(random, null)]]),
    () => new Members(entries.filter((entry) => entry !== victim)),
    () => new Members(entries.map(([name, item]) => [name === victim?.[0] ? name.toUpperCase() : name, item])),
    () => new Members([...entries, [random.pick(["__proto__", "constructor", "prototype"]), { x: 1 }]]),
    () => entries.map(([, item]) => item),
  ])();
}

/** Something more in an object than its schema minds, but which no part of the system should ever meet. */
export function trapMember(random: Random): readonly [name: string, value: unknown] {
  return random.pick<readonly [string, unknown]>([
    [random.pick(["__proto__", "constructor", "prototype"]), random.pick([1, null, { isAdmin: true }])],
    ["x", { y: [{ ["__proto__"]: 1, constructor: { prototype: 1 } }] }],
    ["x", new RawText(random.pick(["1e400", "-1e309", "9007199254740992", "123456789012345678901234567890"]))],
    ["x", [{ y: new RawText("1e22") }]],
    ["x", random.pick(["\ud800", "a\udfff", "\udc00\ud800"])],
    ["\ud83d", 1],
    ["x", nested(random.pick([limits.jsonDepthMax, 100, 100_000]))],
    ["x", Object.fromEntries(Array.from({ length: limits.jsonKeysPerObjectMax + 1 }, (_, index) => [`k${index}`, 0]))],
  ]);
}
