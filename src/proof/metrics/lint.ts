/**
 * Checks what `/metrics` answers: the text format (https://prometheus.io/docs/instrumenting/exposition_formats/) and the naming
 * conventions, with the rules of `promtool check metrics` (prometheus/client_golang, testutil/promlint).
 */

interface Family {
  readonly name: string;
  help: string | null;
  type: string | null;
  readonly samples: Sample[];
}

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const types = ["counter", "gauge", "histogram", "summary", "untyped"];
const samplePattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (nan|[+-]?inf|[+-]?[0-9.eE+-]+)$/i;
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
/** Units that are not base units, and their abbreviations. */
const wrongUnits =
  /_(ms|millis|milliseconds|us|microseconds|ns|nanoseconds|minutes|hours|days|kb|mb|gb|kilobytes|megabytes|gigabytes|bits|percent|s|sec|b)(_total)?$/;

/** What is wrong, a sentence each; empty if all is well. */
export function lintMetrics(text: string): string[] {
  const problems: string[] = [];
  if (!text.endsWith("\n")) problems.push("the last line does not end");
  const families = parse(text, problems);
  for (const family of families.values()) lintFamily(family, problems);
  return problems;
}

function parse(text: string, problems: string[]): Map<string, Family> {
  const families = new Map<string, Family>();
  const familyOf = (name: string): Family => {
    const known = families.get(name);
    if (known !== undefined) return known;
    const family: Family = { name, help: null, type: null, samples: [] };
    families.set(name, family);
    return family;
  };
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, keyword, name = "", rest = ""] = comment;
      const family = familyOf(name);
      const field = keyword === "HELP" ? "help" : "type";
      if (family[field] !== null) problems.push(`${name} has two lines ${keyword}`);
      if (family.samples.length > 0) problems.push(`${name} has its ${keyword} behind its samples`);
      family[field] = rest;
      continue;
    }
    if (line.startsWith("#")) continue;
    const sample = parseSample(line);
    if (sample === null) problems.push(`not a sample: ${line}`);
    else familyOf(baseName(sample.name, families)).samples.push(sample);
  }
  return families;
}

function parseSample(line: string): Sample | null {
  const [, name = "", labelText = "", value = ""] = samplePattern.exec(line) ?? [];
  if (name === "") return null;
  const labels = new Map<string, string>();
  labelPattern.lastIndex = 0;
  while (labelPattern.lastIndex < labelText.length) {
    const label = labelPattern.exec(labelText);
    if (label === null || labels.has(label[1] ?? "")) return null;
    labels.set(label[1] ?? "", label[2] ?? "");
  }
  const number = Number(value.replace(/inf/i, "Infinity"));
  return Number.isNaN(number) && value.toLowerCase() !== "nan" ? null : { name, labels, value: number };
}

/** The family of a sample: that of a histogram or summary has no suffix. */
function baseName(name: string, families: ReadonlyMap<string, Family>): string {
  const base = name.replace(/_(bucket|sum|count)$/, "");
  const type = families.get(base)?.type;
  return type === "histogram" || type === "summary" ? base : name;
}

function lintFamily({ name, help, type, samples }: Family, problems: string[]): void {
  const say = (problem: string) => problems.push(`${name} ${problem}`);
  if (help === null || help === "") say("has no help text");
  if (type === null || !types.includes(type)) return void say(`has the type ${type}`);
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) say("is not in lower case with underscores");
  if (type === "counter" && !name.endsWith("_total")) say("is a counter and does not end in _total");
  if (type !== "counter" && name.endsWith("_total")) say("is not a counter and ends in _total");
  if (type !== "histogram" && name.endsWith("_bucket")) say("ends in _bucket and is not a histogram");
  if (type !== "histogram" && type !== "summary" && /_(count|sum)$/.test(name))
    say("ends as a part of a histogram does");
  if (new RegExp(`_(${types.join("|")})(_|$)`).test(name)) say("names its type");
  if (wrongUnits.test(name)) say("is not in base units");
  const seen = new Set<string>();
  for (const { name: sample, labels, value } of samples) {
    const key = `${sample}{${[...labels]
      .map(([label, text]) => `${label}=${text}`)
      .sort()
      .join()}}`;
    if (seen.has(key)) say(`has ${key} twice`);
    seen.add(key);
    if (labels.has("le") && type !== "histogram") say("has a label le and is not a histogram");
    if (labels.has("quantile") && type !== "summary") say("has a label quantile and is not a summary");
    for (const label of labels.keys()) if (!/^[a-z_][a-z0-9_]*$/.test(label)) say(`has the label ${label}`);
    if (type === "counter" && value < 0) say("is a counter and negative");
  }
  if (type === "histogram") lintBuckets(samples, say);
}

function lintBuckets(samples: readonly Sample[], say: (problem: string) => void): void {
  const series = new Map<string, { last: number; bound: number; isInfinite: boolean }>();
  for (const { name, labels, value } of samples) {
    if (!name.endsWith("_bucket")) continue;
    const le = labels.get("le") ?? "";
    const key = [...labels].filter(([label]) => label !== "le").join(";");
    const bound = Number(le.replace("Inf", "Infinity"));
    const before = series.get(key);
    if (before !== undefined && (bound <= before.bound || value < before.last))
      say(`has buckets out of order at ${le}`);
    series.set(key, { last: value, bound, isInfinite: bound === Number.POSITIVE_INFINITY });
  }
  if ([...series.values()].some(({ isInfinite }) => !isInfinite)) say("has no bucket +Inf");
}
