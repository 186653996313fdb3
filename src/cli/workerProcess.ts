/** A worker as a process: its outbox, its spool, its executor and its wire, put together, drained and taken apart. */
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { WorkerFigures, WorkerMetrics } from "../api/workerMetrics.ts";
import { HttpBlobs } from "../blobs/http/blobs.ts";
import type { AgentView } from "../core/agent/options.ts";
import type { BootId, WorkerId } from "../model/ids.ts";
import { boundsProcesses } from "../model/kinds/exec.ts";
import { remoteLabel } from "../model/kinds/remote.ts";
import { SystemClock } from "../node/clock.ts";
import { type HealthPortOptions, openHealthPort } from "../node/healthPort.ts";
import { createDial } from "../node/httpLink.ts";
import { SystemIds } from "../node/ids.ts";
import { createLog } from "../node/log.ts";
import { openProbePort } from "../node/probe.ts";
import { directoryMark, SystemProcesses } from "../node/processes.ts";
import { environmentOf, findTaskUser } from "../node/taskUser.ts";
import type { Log } from "../ports/log.ts";
import { handlerOptions, mapReduceOptions } from "../runner/handlerOptions.ts";
import { type MapReduceOptions, ProcessExecutor } from "../worker/executors/executor.ts";
import { ThreadedLogSpool } from "../worker/logs/threadedSpool.ts";
import { FileOutbox } from "../worker/outbox/outbox.ts";
import { UnloadableTasks } from "../worker/runners/runner.ts";
import { TracedExecutor } from "../worker/tracedExecutor.ts";
import { Worker } from "../worker/worker.ts";
import { openAttemptPlaces } from "./attemptPlaces.ts";
import type { Context } from "./context.ts";
import { type ExitCode, exitCodes } from "./exitCodes.ts";
import { warnOfExposedToken } from "./exposedToken.ts";
import { UsageError } from "./failure.ts";
import type { WorkerFlags } from "./flags.ts";
import { openContainers } from "./openContainers.ts";
import { openRemotes } from "./openRemotes.ts";
import { openTracing } from "./openTracing.ts";
import type { Output } from "./output.ts";
import { PlannedFault, withExecutorFault } from "./plannedFault.ts";
import { workerReadyLine } from "./readyLine.ts";
import { onStopRequests } from "./signals.ts";
import { findTaskFiles } from "./taskFiles.ts";
import { showCertificate } from "./tlsFiles.ts";
import { readVersion } from "./version.ts";
import { takePlace, type WorkerPlace } from "./workerName.ts";

export async function runWorker(context: Context, flags: WorkerFlags): Promise<ExitCode> {
  const { output, options } = context;
  const bearer = context.bearer();
  const taskFiles = await findTaskFiles(flags.tasks ?? [], process.cwd());
  const remotes = await openRemotes(flags.remote ?? [], process.env);
  const user = flags.runAs === undefined ? null : await findTaskUser(flags.runAs, process.cwd());
  const place = await takePlace(resolve(flags.data), flags.name ?? null);
  const { name } = place;
  const show = await openOrLeave(place, async () => showCertificate(options));
  const log = openLog(name, flags, output.areNotesPainted);
  if (user === null) warnOfExposedToken(bearer.token, log);
  const clock = new SystemClock();
  const id = name as WorkerId;
  const boot = new SystemIds().random() as BootId;
  const home = await directoryMark(place.directory);
  const containers = await openOrLeave(place, () =>
    openContainers(flags, { home, boot, runAs: flags.runAs }, process.env),
  );
  const spool = new ThreadedLogSpool(join(place.directory, "logs"), clock);
  const processes = new SystemProcesses(join(place.directory, "pipes"), user, () => dieWithCommands(log));
  const identity = { worker: id, boot, home };
  const attemptPlaces = await openOrLeave(place, () =>
    openAttemptPlaces({ place, data: resolve(flags.data), user, identity, clock, log }),
  );
  const executor = new ProcessExecutor({
    ...identity,
    clock,
    log,
    processes,
    environment: { ...process.env, ...(user !== null && environmentOf(user)) },
    directory: process.cwd(),
    allowsPrivateHttp: flags.httpPrivate === true,
    containers,
    remotes,
    blobs: new HttpBlobs({ masters: options.masters, bearer, showCertificate: show }),
    ...attemptPlaces,
    handlers: taskFiles.length === 0 ? null : handlerOptions(taskFiles),
    mapReduce: jobOptions(flags),
    onOutput: (attempt, bytes) => spool.write(attempt, clock.now(), bytes),
  });
  await openExecutor(executor, place);
  const tracing = await openTracing(flags.otlpEndpoint, "outlast-worker", name);
  const groups = await processes.openGroups(home);
  const probePort = await openProbe(options.masters, boot);

  const metrics = await loadMetrics(flags, () => figuresOf(worker.view(), flags.capacity));
  let isAnnounced = false;
  const isReady = () => worker.view()?.phase === "attached";
  const worker = new Worker({
    id,
    boot,
    capacity: flags.capacity,
    queues: flags.queues,
    labels: labelsOf(flags, { boundsProcesses: groups.can("processesMax"), engine: containers?.name, remotes }),
    masters: options.masters,
    dial: createDial({ bearer, log, showCertificate: show }),
    clock,
    log,
    outbox: new FileOutbox(join(place.directory, "outbox")),
    spool,
    executor: withExecutorFault(new TracedExecutor(executor, tracing), readFault(flags, name, log)),
    hostname: hostname(),
    pid: process.pid,
    version: readVersion(),
    probePort,
    ...(metrics !== null && { observer: metrics }),
    onStatus: (status) => {
      if (isAnnounced || status.phase !== "attached") return;
      isAnnounced = true;
      announce(output, name, boot);
    },
  });
  const stopping = stopOnRequest(worker, executor, flags, log);
  if (metrics !== null)
    await openPorts(flags, isReady, (...exchange) => metrics.answer(...exchange, bearer.token), log);
  await worker.start();
  const error = await worker.ended;
  await leave(place, processes, spool);
  if (error !== null) throw error;
  process.exit(stopping.code);
}

/** @returns the exit code of the process, once the worker has ended */
function stopOnRequest(
  worker: Worker,
  executor: ProcessExecutor,
  flags: WorkerFlags,
  log: Log,
): { readonly code: ExitCode } {
  const stopping: { code: ExitCode } = { code: exitCodes.ok };
  onStopRequests(
    flags.stopOnStdinEnd === true,
    (reason) => {
      log.info("stopping", { reason });
      // Without its supervisor nobody waits for a drain, and nobody would end it if it took for ever.
      if (reason === "stdin ended") return void worker.stop();
      executor.noteSignal();
      void worker.drain(flags.drainTimeout);
    },
    (forced) => {
      stopping.code = forced;
      void worker.stop();
    },
  );
  return stopping;
}

/** Those of its operator, and what it can do that not every worker can. */
function labelsOf(
  { labels = [] }: WorkerFlags,
  able: {
    readonly boundsProcesses: boolean;
    readonly engine: string | undefined;
    readonly remotes: ReadonlyMap<string, unknown>;
  },
): readonly string[] {
  return [
    ...labels,
    ...(able.boundsProcesses ? [boundsProcesses] : []),
    ...(able.engine === undefined ? [] : [`container=${able.engine}`]),
    ...[...able.remotes.keys()].map(remoteLabel),
  ];
}

/** Where something cannot be opened, another process may have the place. */
async function openOrLeave<Opened>(place: WorkerPlace, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    await place.release();
    throw error;
  }
}

function jobOptions({ jobsUseS3 = false, jobsWarm = false }: WorkerFlags): MapReduceOptions {
  return { ...mapReduceOptions(jobsUseS3 ? process.env : {}), isWarm: jobsWarm };
}

async function openExecutor(executor: ProcessExecutor, place: WorkerPlace): Promise<void> {
  try {
    await executor.open();
  } catch (error) {
    await executor.stop();
    await place.release();
    throw error instanceof UnloadableTasks ? new UsageError(error.message, "Nothing was started.") : error;
  }
}

function openLog(name: string, { logLevel: level, logFormat }: WorkerFlags, hasColor: boolean): Log {
  return createLog({ name, level, ...(logFormat !== undefined && { format: logFormat }), hasColor });
}

async function leave(place: WorkerPlace, processes: SystemProcesses, spool: ThreadedLogSpool): Promise<void> {
  const isQuiet = (await processes.close()) && !spool.hangs;
  await place.release();
  // All is closed and on disk. A thread that waits for a disk or a process that hangs would hold up the end for as long.
  if (!isQuiet) process.kill(process.pid, "SIGKILL");
}

/** Loaded only when asked for: most workers start without. */
async function loadMetrics(flags: WorkerFlags, read: () => WorkerFigures): Promise<WorkerMetrics | null> {
  if (flags.metricsPort === undefined && flags.healthPort === undefined) return null;
  const { WorkerMetrics } = await import("../api/workerMetrics.ts");
  return new WorkerMetrics(read);
}

type AnswerMetrics = NonNullable<HealthPortOptions["answerMetrics"]>;

/** The health port, and the port that earlier versions had for metrics only. */
async function openPorts(
  { healthPort, metricsPort, metricsAddress }: WorkerFlags,
  isReady: () => boolean,
  answerMetrics: AnswerMetrics,
  log: Log,
): Promise<void> {
  const wanted = [
    ...(healthPort === undefined ? [] : [{ port: healthPort }]),
    ...(metricsPort === undefined ? [] : [{ port: metricsPort, address: metricsAddress }]),
  ];
  for (const where of wanted) {
    const { port } = await openHealthPort({ ...where, isReady, answerMetrics });
    log.info("answering health checks and serving metrics", { port });
  }
}

/** At once, as if this process itself had been killed. */
function dieWithCommands(log: Log): void {
  log.error("the process that starts commands was killed, and its commands with it, so this worker ends as well", {});
  process.kill(process.pid, "SIGKILL");
}

function figuresOf(view: AgentView | null, capacity: number): WorkerFigures {
  return {
    isAttached: view?.phase === "attached",
    running: view?.running ?? 0,
    capacity,
    outbox: view?.unsettled ?? 0,
  };
}

function announce(output: Output, name: string, boot: BootId): void {
  if (output.isJson) output.jsonLine({ event: "ready", name, boot, pid: process.pid });
  else output.line(workerReadyLine(name, boot));
}

async function openProbe(masters: readonly string[], boot: BootId): Promise<number | null> {
  const address = probeAddressFor(masters);
  return address === null ? null : (await openProbePort(address, boot)).port;
}

function readFault(flags: WorkerFlags, name: string, log: Log): PlannedFault | null {
  return PlannedFault.read(process.env["OUTLAST_FAIL"], flags.allowFaults === true, { role: "worker", name }, log);
}

/**
 * Where this worker can be knocked at by every one of its masters, such that a refusal proves its death: only where they share
 * this machine. Through a network, an address translation between could refuse in our name.
 */
function probeAddressFor(masters: readonly string[]): string | null {
  const hosts = new Set(masters.map((master) => new URL(master).hostname));
  const [only] = hosts;
  if (hosts.size !== 1) return null;
  if (only === "127.0.0.1") return only;
  return only === "[::1]" ? "::1" : null;
}
