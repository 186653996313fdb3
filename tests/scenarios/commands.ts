/** The commands of scenarios: each line becomes one input of the Scheduler. */
import type { SchedulerInput } from "../../src/core/scheduler/inputs.ts";
import type { BootId, TaskId, WorkerId } from "../../src/model/ids.ts";
import { type IssuedAttempt, machineFault, type Outcome, type ReportItem } from "../../src/model/protocol.ts";
import { toSpec } from "../../src/model/submission.ts";
import type { Submission } from "../../src/model/submissionFields.ts";
import type { QueueSettings } from "../../src/model/worker.ts";
import type { Scenario } from "./scenario.ts";

/** `name=value` pairs of a line; a bare word counts as true. */
type Options = ReadonlyMap<string, string>;

/** The boots that workers have attached with, so that later commands need not repeat them. */
const boots = new WeakMap<Scenario, Map<WorkerId, BootId>>();
/** The ports at which they said that they can be knocked at. */
const ports = new WeakMap<Scenario, Map<WorkerId, number>>();

/**
 *     submit TASK [queue= priority= startAt= attemptsMax= killsMax= timeoutMs= backoffBaseMs= key]
 *            [concurrencyKey= concurrencyMax= uniqueKey= onConflict= expiresAt= deadlineMs= broadcast] · limit QUEUE [concurrency= rate=COUNT/MS], none where left out
 *     loaded TASK, a broadcast that begins · forget TASK, which is finished ·  cancel TASK · pause QUEUE · resume QUEUE · drain WORKER · exit WORKER · clock-gap MS
 *     attach WORKER [boot= capacity= queues=a,b running=t/1,u/2 outbox=t/1 port= draining]
 *     open WORKER · close WORKER · beat WORKER · probed WORKER refused|connected|unknown [port=]
 *     new-leader [WORKER,…], with the workers that it has found alive at their probe ports · advance MS
 *     report WORKER started|success|failed|aborted TASK/ATTEMPT … [boot=] · report WORKER draining|bye
 *     report WORKER machine TASK/ATTEMPT …, which it cannot run · report WORKER trouble [TEXT]
 *     let-go
 * TASK/ATTEMPT is meant as it was given out last, TASK/ATTEMPT@MS as it was given out so long after the beginning.
 */
export function toInput(line: string, scenario: Scenario): SchedulerInput {
  const [verb = "", name = "", ...rest] = line.trim().split(/\s+/);
  const options: Options = new Map(rest.map((word) => [word.split("=")[0] ?? "", word.split("=")[1] ?? "true"]));
  const request = 1;
  const id = name as TaskId;
  const worker = name as WorkerId;
  switch (verb) {
    case "submit":
      return toSubmit(id, options, scenario);
    case "forget":
      return { kind: "forget", seq: 1_000, tasks: [{ id, queue: "default", state: "success" }] };
    case "loaded":
      return { kind: "graph-loaded", task: id, input: { seconds: 1 } };
    case "cancel":
      return { kind: "cancel", request, id };
    case "pause":
    case "resume":
      return { kind: "set-queue", request, name, settings: { isPaused: verb === "pause" } };
    case "limit":
      return { kind: "set-queue", request, name, settings: toLimits(options) };
    case "drain":
      return { kind: "drain-worker", request, worker };
    case "attach":
      return toAttach(worker, options, scenario);
    case "open":
      return { kind: "opened", worker, session: scenario.sessionOf(worker) };
    case "close":
      return { kind: "closed", worker, session: scenario.sessionOf(worker) };
    case "beat":
      return { kind: "beat", worker, session: scenario.sessionOf(worker) };
    case "report":
      return toReport(worker, rest, scenario);
    case "probed":
      return {
        kind: "probed",
        worker,
        boot: bootOf(scenario, worker),
        host: "host",
        port: Number(options.get("port") ?? ports.get(scenario)?.get(worker)),
        result: rest[0] as "refused" | "connected" | "unknown",
      };
    case "exit":
      return { kind: "report-exit", request, worker, boot: bootOf(scenario, worker) };
    case "let-go":
      return { kind: "let-go" };
    case "clock-gap":
      return { kind: "clock-gap", forMs: Number(name) };
    default:
      throw new Error(`there is no command "${verb}"`);
  }
}

function toLimits(options: Options): QueueSettings {
  const [count, perMs] = (options.get("rate") ?? "").split("/").map(Number);
  return {
    concurrencyMax: options.has("concurrency") ? Number(options.get("concurrency")) : null,
    rate: count !== undefined && perMs !== undefined ? { count, perMs } : null,
  };
}

const textOptions = ["queue", "concurrencyKey", "uniqueKey", "onConflict"];

function toSubmit(id: TaskId, options: Options, scenario: Scenario): SchedulerInput {
  const submission: { [name: string]: unknown } = { kind: "sleep", input: { seconds: 1 } };
  for (const [option, value] of options) {
    if (option === "key") continue;
    // Bounds of the whole task are given as times after the beginning.
    if (option === "expiresAt") submission[option] = scenario.now + Number(value);
    else if (option === "broadcast") submission[option] = true;
    else submission[option] = textOptions.includes(option) ? value : Number(value);
  }
  const fingerprint = options.get("key") ?? null;
  const spec = toSpec(submission as unknown as Submission, { id, fingerprint, now: scenario.now });
  return {
    kind: "submit",
    request: 1,
    specs: [spec],
    lookup: fingerprint === null ? null : { seq: 1_000_000, found: new Map() },
  };
}

function toAttach(worker: WorkerId, options: Options, scenario: Scenario): SchedulerInput {
  const boot = (options.get("boot") ?? "b1") as BootId;
  const known = boots.get(scenario) ?? new Map<WorkerId, BootId>();
  boots.set(scenario, known.set(worker, boot));
  const port = options.get("port");
  if (port !== undefined) ports.set(scenario, (ports.get(scenario) ?? new Map()).set(worker, Number(port)));
  const attach = {
    protocol: 1,
    boot,
    capacity: Number(options.get("capacity") ?? 1),
    queues: (options.get("queues") ?? "default").split(","),
    running: toIssued(options.get("running"), scenario).map((issued) => ({ ...issued, startedAt: scenario.now })),
    outbox: toIssued(options.get("outbox"), scenario),
    isDraining: options.has("draining"),
    epochMax: 0,
    incarnation: null,
    probePort: options.has("port") ? Number(options.get("port")) : null,
    hostname: "host",
    pid: 1,
    version: "1",
  };
  return { kind: "attach", request: 1, worker, attach, host: "host" };
}

function toReport(worker: WorkerId, [what = "", ...words]: readonly string[], scenario: Scenario): SchedulerInput {
  const ran = words.find((word) => word.startsWith("boot="))?.slice("boot=".length) as BootId | undefined;
  const ended = (what === "trouble" ? [] : words)
    .filter((word) => !word.startsWith("boot="))
    .flatMap((word) => toIssued(word, scenario));
  const boot = ran ?? bootOf(scenario, worker);
  const items: ReportItem[] =
    what === "bye" || what === "draining"
      ? [{ kind: what }]
      : what === "trouble"
        ? [{ kind: what, text: words.length === 0 ? null : words.join(" ") }]
        : ended.map((issued) => toItem(what, issued, boot, scenario.now));
  return { kind: "report", request: 1, worker, session: scenario.sessionOf(worker), items };
}

function toItem(what: string, issued: IssuedAttempt, boot: BootId, now: number): ReportItem {
  if (what === "started") return { kind: "started", ...issued, startedAt: now };
  if (what === "machine") {
    const error = { code: machineFault, message: "It has no descriptors." };
    return { kind: "result", ...issued, boot, outcome: "aborted", startedAt: now, endedAt: now, error };
  }
  const error = what === "failed" ? { error: { code: "exit", message: "It ended with code 1." } } : {};
  const output = what === "success" ? { output: `of ${issued.task}/${issued.attempt}` } : {};
  return {
    kind: "result",
    ...issued,
    boot,
    outcome: what as Outcome,
    startedAt: now,
    endedAt: now,
    ...error,
    ...output,
  };
}

function bootOf(scenario: Scenario, worker: WorkerId): BootId {
  return boots.get(scenario)?.get(worker) ?? ("b1" as BootId);
}

function toIssued(text: string | undefined, scenario: Scenario): IssuedAttempt[] {
  if (text === undefined) return [];
  return text.split(",").map((each) => {
    const [task = "", attempt = "0", ms] = each.split(/[/@]/);
    const ref = { task: task as TaskId, attempt: Number(attempt) };
    return scenario.issued(ref, ms === undefined ? undefined : Number(ms));
  });
}
