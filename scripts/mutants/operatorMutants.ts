/** Bugs in what operators run by and the simulator does not: templates, time zones, graphs as they are written, files, forms, webhooks, traces. */
import type { Mutant } from "./mutant.ts";

function one(name: string, file: string, search: string, replace: string): Mutant {
  return { name, patches: [{ file, search, replace }] };
}

const expansion = "src/model/templates/expansion.ts";
const calendar = "src/node/calendar.ts";
const form = "src/api/http/formSubmission.ts";
const guard = "src/outbound/addressGuard.ts";

export const operatorMutants: readonly Mutant[] = [
  one(
    "takes the text of a value for a reference to an output",
    expansion,
    "{ value: isSearched ? escapeReferences(value) : value }",
    "{ value }",
  ),
  one(
    "lets a value into the program of a shell",
    expansion,
    "if (shell !== null && hasPlaceholders(",
    'if (shell?.program === "" && hasPlaceholders(',
  ),
  one(
    "searches the values of a template for placeholders",
    "src/model/templates/placeholders.ts",
    'if (name === undefined) return { text: "${" };',
    'if (name === undefined) return { text: "$${" };',
  ),
  one(
    "passes over variables that a template does not have",
    "src/model/templates/variables.ts",
    "if (Object.hasOwn(variables, name)) continue;",
    "if (name.length > 0) continue;",
  ),
  one(
    "takes the default of a variable whose value is given as null",
    "src/model/templates/variables.ts",
    "Object.hasOwn(given, name) ? given[name] : variable.default",
    "given[name] ?? variable.default",
  ),
  one(
    "runs a job at a fixed time twice on the day on which clocks go back",
    calendar,
    ', fixedTimeRule: "no-wildcard"',
    "",
  ),
  one(
    "shows times west of Greenwich as times east of it",
    calendar,
    'offset < 0 ? "-" : "+"',
    'offset < 0 ? "+" : "+"',
  ),
  one(
    "counts what waits for a circle of a graph as part of it",
    "src/model/graphs/plan.ts",
    "[...path.slice(seenAt), name]",
    "[...path, name]",
  ),
  one("lets a graph wait for itself", "src/model/graphs/plan.ts", "if (cycle.length > 0) {", "if (cycle.length > 2) {"),
  one(
    "lets the path of a file lead out of the folder of its attempt",
    "src/model/kinds/execPaths.ts",
    'part === "" || part === "." || part === ".."',
    'part === "" || part === "."',
  ),
  one(
    "takes a pattern that ends in a star for one that reaches into folders",
    "src/model/kinds/execPaths.ts",
    "pattern.slice(next).every((wanted) => wanted === star)",
    "pattern.slice(next).length >= 0",
  ),
  one("takes two files of one name", form, "if (form.names.has(name)) {", "if (form.names.size < 0) {"),
  one("calls the addresses of cloud metadata", guard, '  ["169.254.0.0", 16, "ipv4"],\n', ""),
  one("calls a private address that is written as IPv6", guard, 'hostname.replace(/^\\[|\\]$/g, "")', "hostname"),
  one("calls a name that resolves to a private address", guard, "!isPrivateAddress(address)", "address.length > 0"),
  one(
    "signs a webhook with another time than it tells",
    "src/node/receivers.ts",
    "new Webhook(secret).sign(id, at, body)",
    "new Webhook(secret).sign(id, new Date(at.getTime() - 60_000), body)",
  ),
  one(
    "gives what an attempt makes to the trace of its submission",
    "src/worker/tracedExecutor.ts",
    "{ ...assignment, traceparent: own },",
    "assignment,",
  ),
  one(
    "takes any text for a trace",
    "src/api/http/tracedSubmission.ts",
    "isTraceparent(traceparent) ? traceparent : null",
    'typeof traceparent === "string" ? traceparent : null',
  ),
];
