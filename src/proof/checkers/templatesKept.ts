/** I48: a task from a template is what the version that it remembers makes of its variables; and that version was the one asked for. */
import type { Json, JsonObject } from "../../model/json.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { TemplateOrigin, TemplateVersion } from "../../model/templates/template.ts";
import { checker } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { eventsOf } from "./reading.ts";

interface Made {
  readonly spec: TaskSpec;
  readonly origin: TemplateOrigin;
  readonly entry: LandedEntry;
}

export const templatesKept = checker("I48", "tasks from templates are what their version says", (history, report) => {
  const versions = new Map<string, { readonly version: TemplateVersion; readonly order: number }>();
  /** How the latest version of each template has changed; null while there is none. */
  const latest = new Map<string, { readonly version: number | null; readonly order: number }[]>();
  const made: Made[] = [];
  for (const entry of history.entries) {
    for (const write of entry.writes) {
      if (write.kind === "spec" && write.spec.origin !== undefined)
        made.push({ spec: write.spec, origin: write.spec.origin, entry });
      if (write.kind !== "record" || write.value === null) continue;
      if (write.collection === "templates") {
        const { name, version, isRemoved } = write.value;
        const steps = latest.get(name) ?? [];
        latest.set(name, steps);
        steps.push({ version: isRemoved === true ? null : version, order: entry.order });
      }
      if (write.collection !== "templateVersions") continue;
      const { name, version } = write.value;
      const before = versions.get(`${name}@${version}`);
      if (before !== undefined && JSON.stringify(before.version) !== JSON.stringify(write.value))
        report(`version ${version} of template ${name} was changed in entry ${entry.seq}`);
      else versions.set(`${name}@${version}`, { version: write.value, order: entry.order });
    }
  }
  for (const { spec, origin, entry } of made) {
    const { template, version, variables } = origin;
    const found = versions.get(`${template}@${version}`);
    if (found === undefined || found.order > entry.order) {
      report(`${spec.id} was made from version ${version} of template ${template}, and there was none`, spec.id);
      continue;
    }
    const wanted = expand(found.version.task, variables, false) as JsonObject;
    for (const field of ["kind", "name", "input", "priority"] as const)
      if (JSON.stringify(wanted[field]) !== JSON.stringify(spec[field]))
        report(
          `${spec.id} has as ${field} ${JSON.stringify(spec[field])}, and version ${version} of template ${template} says ${JSON.stringify(wanted[field])}`,
          spec.id,
        );
    const problem = wrongVersion(history, { spec, origin, entry }, latest.get(template) ?? []);
    if (problem !== null) report(problem, spec.id);
  }
});

/** The version that was asked for, or one that was the latest at some time between the question and the entry. */
function wrongVersion(
  history: History,
  { spec, origin, entry }: Made,
  latest: readonly { readonly version: number | null; readonly order: number }[],
): string | null {
  const run = eventsOf(history, "template-run").find(
    ({ task, asked, order }) => task === spec.id && asked < entry.order && order > entry.order,
  );
  if (run === undefined) return null;
  const { template, version } = origin;
  if (run.version !== null)
    return run.version === version
      ? null
      : `${spec.id} was to be made from version ${run.version} of ${template}, not ${version}`;
  const atFirst = latest.findLast(({ order }) => order < run.asked);
  const later = latest.filter(({ order }) => order > run.asked && order < entry.order);
  const allowed = [atFirst, ...later].map((step) => step?.version ?? null);
  return allowed.includes(version)
    ? null
    : `${spec.id} was made from version ${version} of ${template}, and the latest one was ${allowed.join(" or ")}`;
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Values in place of `${name}`: with their type where they stand alone, as text inside of other text and in commands. */
function expand(value: Json, variables: JsonObject, isText: boolean): Json {
  if (typeof value === "string") {
    const alone = /^\$\{(\w+)\}$/.exec(value)?.[1];
    if (alone !== undefined && !isText) return variables[alone] ?? null;
    return value.replace(/\$\{(\w+)\}/g, (_, name: string) => textOf(variables[name]));
  }
  if (Array.isArray(value)) return value.map((item) => expand(item, variables, isText));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, expand(member, variables, isText || name === "command")]),
  );
}
