/** The checks of `outlast doctor`. Each looks at one thing and never throws: what it cannot see is a finding as well. */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { toBaseUrl } from "../../sdk/connection.ts";
import type { MasterReport } from "../../sdk/masterReport.ts";
import type { Context } from "../context.ts";
import { formatBytes, formatDuration } from "../duration.ts";
import { examineFile } from "./examineStore.ts";
import { type Finding, good } from "./finding.ts";

export async function examine(context: Context, data: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [checkNode(), ...(await checkData(resolve(data))), ...checkToken(context)];
  const looks = await Promise.all(context.options.masters.map((address) => lookAt(context, address)));
  const others = await lookAtOthers(context, looks);
  findings.push(...[...looks, ...others].flatMap((look) => look.findings));
  const reports = [...looks, ...others].flatMap((look) => (look.report === null ? [] : [look.report]));
  const distinct = [...new Map(reports.map((report) => [report.nonce, report])).values()];
  if (distinct.length > 0) {
    findings.push(
      ...checkNames(distinct),
      ...(checkStores(distinct) ?? checkLeader(distinct)),
      ...(await checkWork(context)),
    );
  }
  return findings;
}

/** Looks at the masters that those who were asked know of. */
async function lookAtOthers(context: Context, looks: readonly Look[]): Promise<readonly Look[]> {
  const known = new Set(looks.flatMap(({ address, report }) => [address, report?.address ?? address].map(toBaseUrl)));
  const named = await Promise.all(
    looks.map(async ({ address, report }) => (report === null ? [] : membersAt(context, address))),
  );
  const others = [...new Set(named.flat().map(toBaseUrl))].filter((address) => !known.has(address));
  return Promise.all(others.map((address) => lookAt(context, address)));
}

async function membersAt(context: Context, address: string): Promise<string[]> {
  try {
    const masters = await clientFor(context, address).masters({ signal: patience(context) });
    return masters.flatMap((master) => (master.role === "silent" ? [] : master.address));
  } catch (error) {
    if (!(error instanceof OutlastError) && !isTimeout(error)) throw error;
    return [];
  }
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= defaults.nodeMajorMin) return good("node", `Node ${process.versions.node}`);
  return {
    verdict: "bad",
    what: "node",
    message: `Node ${process.versions.node} is too old.`,
    advice: `Install Node ${defaults.nodeMajorMin} or newer.`,
  };
}

async function checkData(directory: string): Promise<Finding[]> {
  const info = await stat(directory).catch(() => null);
  if (info === null) {
    return [good("data", `${directory} is not there; it is made when a master or worker starts here.`)];
  }
  if (!info.isDirectory()) {
    return [
      {
        verdict: "bad",
        what: "data",
        message: `${directory} is not a directory.`,
        advice: "Choose another with --data.",
      },
    ];
  }
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return [
      {
        verdict: "bad",
        what: "data",
        message: `${directory} cannot be written.`,
        advice: "Give it to the user that runs outlast.",
      },
    ];
  }
  const disk = await statfs(directory);
  const freeBytes = disk.bavail * disk.bsize;
  const room: Finding =
    freeBytes >= limits.diskFreeBytesMin
      ? good("data", `${directory}, ${formatBytes(freeBytes)} free`)
      : {
          verdict: "odd",
          what: "data",
          message: `Only ${formatBytes(freeBytes)} are free for ${directory}.`,
          advice: "Make room before it is full.",
        };
  return [room, ...(await examineFile(join(directory, defaults.storeFile)))];
}

function checkToken({ token }: Context): Finding[] {
  if (token === null) return [good("token", "none; fine while masters listen on this machine only")];
  if (token.length >= limits.tokenLengthMin) return [good("token", "set")];
  return [
    {
      verdict: "odd",
      what: "token",
      message: `The token has only ${token.length} characters: it can be guessed.`,
      advice: "Make one with: openssl rand -base64 32",
    },
  ];
}

interface Look {
  readonly address: string;
  readonly report: MasterReport | null;
  readonly findings: Finding[];
}

/** Asks one master alone, so that its silence is not covered by another's answer. */
async function lookAt(context: Context, address: string): Promise<Look> {
  let serverAt: number | null = null;
  const askedAt = Date.now();
  const client = clientFor(context, address, async (...request) => {
    const response = await fetch(...request);
    serverAt = Date.parse(response.headers.get("date") ?? "");
    return response;
  });
  try {
    const report = await client.status({ signal: patience(context) });
    const findings = [checkMaster(address, report), ...checkClock(address, serverAt, (askedAt + Date.now()) / 2)];
    return { address, report, findings };
  } catch (error) {
    if (isTimeout(error)) return { address, report: null, findings: [describeSilence(address)] };
    if (!(error instanceof OutlastError)) throw error;
    return { address, report: null, findings: [describeRefusal(address, error)] };
  }
}

/** A client for this master alone. */
function clientFor(context: Context, address: string, fetchWith: typeof fetch = fetch): Outlast {
  return createClient({ masters: address, token: context.token, retryForMs: 0, fetch: fetchWith });
}

function patience(context: Context): AbortSignal {
  return AbortSignal.any([context.signal, AbortSignal.timeout(defaults.doctorPatienceMs)]);
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

function describeSilence(address: string): Finding {
  return {
    verdict: "bad",
    what: "master",
    message: `${address} takes connections and does not answer.`,
    advice: "Its process may be stopped, or have too much to do: look at it.",
  };
}

function describeRefusal(address: string, error: OutlastError): Finding {
  if (error.code === "unauthorized") {
    return {
      verdict: "bad",
      what: "token",
      message: `${address} does not take this token.`,
      advice: "Set OUTLAST_TOKEN to what the master was started with.",
    };
  }
  const cause = typeof error.details["cause"] === "string" ? ` (${error.details["cause"]})` : "";
  return {
    verdict: "bad",
    what: "master",
    message:
      error.details["reason"] === "unreachable"
        ? `No master answers at ${address}${cause}.`
        : `${address}: ${error.message}`,
    advice: error.details.hint ?? "Look into the master's log.",
  };
}

function checkMaster(address: string, report: MasterReport): Finding {
  const store = `${report.store} (${report.durability})`;
  if (report.trouble !== null) {
    return {
      verdict: "bad",
      what: "master",
      message: `${address} cannot commit: ${report.trouble}`,
      advice: `See to its store: ${store}.`,
    };
  }
  return good("master", `${address} is ${report.role}, epoch ${report.epoch}, entry ${report.seq}, ${store}`);
}

/** The `date` header tells whole seconds, so a second's difference is no difference. */
function checkClock(address: string, serverAt: number | null, hereAt: number): Finding[] {
  if (serverAt === null || Number.isNaN(serverAt)) return [];
  const differenceMs = Math.abs(serverAt + 500 - hereAt);
  if (differenceMs <= limits.clockDifferenceMsMax) return [good("clock", `agrees with ${address}`)];
  return [
    {
      verdict: "odd",
      what: "clock",
      message: `The clock of ${address} differs by ${formatDuration(differenceMs)} from this machine's.`,
      advice: "Nothing is lost by it, but times in lists and logs will mislead you. Let both keep time by NTP.",
    },
  ];
}

function checkNames(reports: readonly MasterReport[]): Finding[] {
  const byName = Map.groupBy(reports, ({ name }) => name);
  return [...byName].flatMap(([name, namesakes]) =>
    namesakes.length === 1
      ? []
      : {
          verdict: "odd",
          what: "master",
          message: `${namesakes.length} masters are called ${name}: ${namesakes.map(({ address }) => address).join(", ")}.`,
          advice: "Tell them apart with --name.",
        },
  );
}

/** Null if all is well. */
function checkStores(reports: readonly MasterReport[]): Finding[] | null {
  const byStore = [...Map.groupBy(reports, ({ incarnation }) => incarnation).values()];
  if (byStore.length === 1) return null;
  const each = byStore.map((masters) => `${masters.map(({ address }) => address).join(", ")} on ${masters[0]?.store}`);
  return [
    {
      verdict: "bad",
      what: "store",
      message: `The masters are on ${byStore.length} stores, and know nothing of each other's tasks: ${each.join("; ")}.`,
      advice: "Start all of them with the same --store, or ask only those that belong together.",
    },
  ];
}

function checkLeader(reports: readonly MasterReport[]): Finding[] {
  const leaders = reports.filter((report) => report.role === "leader");
  const [leader] = leaders;
  if (leaders.length === 1 && leader !== undefined) {
    return [
      good(
        "leader",
        `${leader.name} at ${leader.address}, for ${formatDuration(Math.max(0, Date.now() - leader.roleSince))}`,
      ),
    ];
  }
  const known = reports.find((report) => report.leader !== null)?.leader ?? null;
  const last = known === null ? "" : ` The last one that did, at ${known}, does not answer.`;
  const message = leaders.length === 0 ? `No master leads.${last}` : `${leaders.length} masters say that they lead.`;
  return [
    {
      verdict: "bad",
      what: "leader",
      message,
      advice: "Wait a few seconds and look again; then look into the masters' logs.",
    },
  ];
}

async function checkWork(context: Context): Promise<Finding[]> {
  try {
    const client = await context.client({ retryForMs: 0, onRetry: () => {} });
    const { signal } = context;
    const [workers, queues] = await Promise.all([client.workers({ signal }), client.queues({ signal })]);
    const present = workers.filter((worker) => worker.state === "connected" && !worker.isDraining);
    const findings: Finding[] = [];
    const slots = present.reduce((sum, worker) => sum + worker.capacity, 0);
    if (present.length > 0) findings.push(good("workers", `${present.length} attached, ${slots} slots`));
    else
      findings.push({
        verdict: "odd",
        what: "workers",
        message: "No worker is attached: nothing will run.",
        advice: "Start one with: outlast worker",
      });
    for (const worker of workers.filter((one) => one.state === "suspect")) {
      findings.push({
        verdict: "odd",
        what: "workers",
        message: `${worker.id} is silent.`,
        advice: `See after process ${worker.pid} on ${worker.hostname}.`,
      });
    }
    for (const queue of queues) {
      const waiting = (queue.tasks["created"] ?? 0) + (queue.tasks["killed"] ?? 0) + (queue.tasks["retrying"] ?? 0);
      if (waiting === 0) continue;
      const advice = queue.isPaused
        ? `outlast queues resume ${queue.name}`
        : queue.workers === 0
          ? `outlast worker --queues ${queue.name}`
          : null;
      if (advice === null) continue;
      const why = queue.isPaused ? "and it is paused" : "and no worker serves it";
      findings.push({
        verdict: "odd",
        what: "tasks",
        message: `${waiting} ${waiting === 1 ? "task waits" : "tasks wait"} in queue ${queue.name}, ${why}.`,
        advice,
      });
    }
    return findings;
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    return [{ verdict: "bad", what: "workers", message: error.message, advice: error.details.hint ?? null }];
  }
}
