/** The checks of `outlast doctor`. Each checks one thing and does not throw: what cannot be checked is a finding, too. */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { toBaseUrl } from "../../sdk/connection.ts";
import type { Fetch } from "../../sdk/fetch.ts";
import type { MasterReport } from "../../sdk/masterReport.ts";
import type { Context } from "../context.ts";
import { formatBytes, formatDuration } from "../duration.ts";
import { describeHolder, findLockHolder, lockedPath } from "../lockHolder.ts";
import { checkMasterClock, checkOffsets } from "./clocks.ts";
import { checkOpen, checkTls, checkToken } from "./credentials.ts";
import { examineFile } from "./examineStore.ts";
import { type Finding, good } from "./finding.ts";
import { isTimeout, patience } from "./patience.ts";
import { checkWork } from "./work.ts";

/**
 * Yields each finding as soon as it is there.
 * @param onStep told what is looked at next, since a step may take seconds
 */
export async function* examine(
  context: Context,
  data: string,
  onStep: (what: string) => void,
): AsyncGenerator<Finding, void, undefined> {
  yield checkNode();
  const directory = resolve(data);
  yield* await checkData(directory);
  const storePath = join(directory, defaults.storeFile);
  if (await exists(storePath)) {
    onStep(`Checking ${storePath}`);
    yield* await examineFile(storePath);
  }
  yield* checkToken(context.credential);
  const { masters } = context.options;
  onStep(`Asking ${masters.join(", ")}`);
  const looks = await Promise.all(masters.map((address) => lookAt(context, address)));
  yield* looks.flatMap((look) => look.findings);
  const others = await lookAtOthers(context, looks);
  yield* others.flatMap((look) => look.findings);
  const reports = [...looks, ...others].flatMap((look) => (look.report === null ? [] : [look.report]));
  yield* await checkLocks([storePath, ...reports.flatMap(({ store }) => lockedPath(store) ?? [])]);
  const distinct = [...new Map(reports.map((report) => [report.nonce, report])).values()];
  if (distinct.length === 0) return;
  yield* checkNames(distinct);
  yield* checkOpen(distinct);
  yield* checkTls(distinct);
  yield* checkOffsets(distinct);
  yield* checkStores(distinct) ?? checkLeader(distinct);
  onStep("Asking for workers, queues and tasks");
  yield* await checkWork(context);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/** A process that keeps a store locked keeps every master from committing. */
async function checkLocks(paths: readonly string[]): Promise<Finding[]> {
  const found = await Promise.all(
    [...new Set(paths)].map(async (path): Promise<Finding[]> => {
      const holder = await findLockHolder(path);
      if (holder === null) return [];
      const [message, advice] = describeHolder(path, holder);
      return [{ verdict: "bad", what: "store", message, advice }];
    }),
  );
  return found.flat();
}

/** Checks the masters that the asked masters know. */
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
    const masters = await clientFor(context, address, await context.fetch()).masters({ signal: patience(context) });
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
        advice: "Choose another directory with --data.",
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
        advice: "Make it writable for the user that runs outlast.",
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
          advice: "Free some space before the disk is full.",
        };
  return [room];
}

interface Look {
  readonly address: string;
  readonly report: MasterReport | null;
  readonly findings: Finding[];
}

/** Asks only this master, so that another one's answer does not hide its failure. */
async function lookAt(context: Context, address: string): Promise<Look> {
  let serverAt: number | null = null;
  const askedAt = Date.now();
  const fetchWith = await context.fetch();
  const client = clientFor(context, address, async (...request) => {
    const response = await fetchWith(...request);
    serverAt = Date.parse(response.headers.get("date") ?? "");
    return response;
  });
  try {
    const report = await client.status({ signal: patience(context) });
    const findings = [checkMaster(address, report), ...checkMasterClock(address, serverAt, (askedAt + Date.now()) / 2)];
    return { address, report, findings };
  } catch (error) {
    if (isTimeout(error)) return { address, report: null, findings: [describeSilence(address)] };
    if (!(error instanceof OutlastError)) throw error;
    return { address, report: null, findings: [describeRefusal(address, error, context.credential)] };
  }
}

/** A client for this master alone. */
function clientFor(context: Context, address: string, fetchWith: Fetch): Outlast {
  return createClient({ masters: address, token: context.credential, retryForMs: 0, fetch: fetchWith });
}

function describeSilence(address: string): Finding {
  return {
    verdict: "bad",
    what: "master",
    message: `${address} accepts connections but does not answer.`,
    advice: "Check whether its process is stopped or overloaded.",
  };
}

function describeRefusal(address: string, error: OutlastError, credential: string | null): Finding {
  if (error.code === "unauthorized") {
    return {
      verdict: "bad",
      what: "token",
      message: `${address} ${credential === null ? "wants a token or a session, and this command has none." : "rejects this token."}`,
      advice: "Give one with --token-file or OUTLAST_TOKEN, or sign in with: outlast login NAME",
    };
  }
  const { reason, cause } = error.details;
  const isSilent = reason === "unreachable" && error.message.startsWith("No master answers");
  return {
    verdict: "bad",
    what: "master",
    message: isSilent
      ? `No master answers at ${address}${typeof cause === "string" ? ` (${cause})` : ""}.`
      : reason === "unreachable"
        ? error.message
        : `${address}: ${error.message}`,
    advice: error.details.hint ?? "See the log of the master.",
  };
}

function checkMaster(address: string, report: MasterReport): Finding {
  const store = `${report.store} (${report.durability})`;
  if (report.trouble !== null) {
    return {
      verdict: "bad",
      what: "master",
      message: `${address} cannot commit: ${report.trouble}`,
      advice: `Check its store: ${store}.`,
    };
  }
  return good("master", `${address} is ${report.role}, epoch ${report.epoch}, entry ${report.seq}, ${store}`);
}

function checkNames(reports: readonly MasterReport[]): Finding[] {
  const byName = Map.groupBy(reports, ({ name }) => name);
  return [...byName].flatMap(([name, namesakes]) =>
    namesakes.length === 1
      ? []
      : {
          verdict: "odd",
          what: "master",
          message: `${namesakes.length} masters have the name ${name}: ${namesakes.map(({ address }) => address).join(", ")}.`,
          advice: "Give each its own name with --name.",
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
      message: `The masters use ${byStore.length} different stores, so they do not know each other's tasks: ${each.join("; ")}.`,
      advice: "Start all of them with the same --store, or name only masters of one cluster.",
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
      advice: "Wait a few seconds and run doctor again. If it stays, see the logs of the masters.",
    },
  ];
}
