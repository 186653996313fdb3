/** A master as a process: creates its store, master and HTTP API, and stops them in order. */
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { checkExposure, TokenCheck } from "../api/auth/access.ts";
import { type ApiServer, createApi, type TlsContent } from "../api/http/server.ts";
import { Master } from "../master/master.ts";
import { OutlastError } from "../model/errors.ts";
import { defaults, failoverProfiles } from "../model/limits.ts";
import { SystemCalendar } from "../node/calendar.ts";
import { SystemClock } from "../node/clock.ts";
import { keepLargeHeapTight } from "../node/heapGrowth.ts";
import { SystemIds } from "../node/ids.ts";
import { createLog } from "../node/log.ts";
import { createPeers } from "../node/peers.ts";
import { placeOf } from "../node/place.ts";
import { probeBoot } from "../node/probe.ts";
import { createReceivers } from "../node/receivers.ts";
import type { Log } from "../ports/log.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { ShowCertificate } from "../ports/transport.ts";
import type { Context } from "./context.ts";
import { dashboardFolder } from "./dashboardFolder.ts";
import { type ExitCode, exitCodes } from "./exitCodes.ts";
import { LocalFailure, UsageError } from "./failure.ts";
import type { MasterFlags } from "./flags.ts";
import { findFreePort } from "./freePort.ts";
import { openBlobs } from "./openBlobs.ts";
import { findStore } from "./openStore.ts";
import { openTracing } from "./openTracing.ts";
import { PlannedFault, withStoreFault } from "./plannedFault.ts";
import { masterReadyLine } from "./readyLine.ts";
import { onStopRequests } from "./signals.ts";
import { readTls, showCertificate } from "./tlsFiles.ts";
import { toId } from "./workerName.ts";
import { workerTokenVariable } from "./workerToken.ts";

export async function runMaster(context: Context, flags: MasterFlags): Promise<ExitCode> {
  const { token } = context;
  refuseExposure(flags.address, token);
  const tls = readTls(flags);
  const show = showCertificate(context.options, flags);
  const port = flags.port === 0 ? await findFreePort() : flags.port;
  const name = flags.name ?? toId(hostname());
  const log = createLog({
    name,
    level: flags.logLevel,
    ...(flags.logFormat === undefined ? {} : { format: flags.logFormat }),
    hasColor: context.output.areNotesPainted,
  });
  keepLargeHeapTight();
  const ids = new SystemIds();
  const fault = PlannedFault.read(
    process.env["OUTLAST_FAIL"],
    flags.allowFaults === true,
    { role: "master", name },
    log,
  );
  const store = withStoreFault(await findStore(flags, ids), fault);
  const blobs = await openBlobs(flags, log);
  const address = flags.advertise ?? advertisedAddress(flags.address, port, tls === undefined ? "http" : "https");
  const master = new Master({
    name,
    address,
    place: placeOf(flags.address, port),
    store,
    blobs,
    clock: new SystemClock(),
    ids,
    log,
    probe: probeBoot,
    peers: createPeers(token === null ? null : new TokenCheck(token), show),
    receivers: createReceivers(flags.webhookPrivate === true),
    settings: {
      ...failoverProfiles[flags.failover],
      calendar: new SystemCalendar(),
      retentionMs: flags.retention,
      finishedTasksMax: flags.finishedMax,
    },
  });
  const tracing = await openTracing(flags.otlpEndpoint, "outlast-master", name);
  const api = openApi(flags, { master, log, token, tls, showCertificate: show, tracing });

  const ending = Promise.withResolvers<ExitCode>();
  // It may be rejected before anybody waits for it.
  ending.promise.catch(() => {});
  onStopRequests(
    flags.stopOnStdinEnd === true,
    (reason) => {
      log.info("stopping", { reason });
      // The master first: if its streams closed first, a leader would take its workers for dead. Waiting callers get an answer.
      master
        .stop()
        .then(() => api.close())
        .then(() => tracing?.stop())
        .then(() => ending.resolve(exitCodes.ok), ending.reject);
    },
    (code) => process.exit(code),
  );
  void master.ended.then((error) => {
    if (error !== null) ending.reject(error);
  });

  const url = await api.listen({ address: flags.address, port }).catch((error: unknown) => {
    throw LocalFailure.from(error);
  });
  await master.start(address);
  const isReady = await Promise.race([untilServing(master), ending.promise.then(() => false)]);
  if (isReady && context.output.isJson) context.output.jsonLine({ event: "ready", url, name, pid: process.pid });
  else if (isReady) context.output.line(masterReadyLine(url));
  const code = await ending.promise;
  // Everything is done. Do not wait for kept-alive connections.
  process.exit(code);
}

interface ApiParts {
  readonly master: Master;
  readonly log: Log;
  readonly token: string | null;
  readonly tls: TlsContent | undefined;
  readonly showCertificate: ShowCertificate;
  readonly tracing: Tracing | null;
}

function openApi(flags: MasterFlags, { master, tls, tracing, ...parts }: ApiParts): ApiServer {
  const workerToken = process.env[workerTokenVariable];
  const api = createApi({
    ...{ ...parts, master: master.service, dashboard: dashboardFolder, isRecording: true },
    ...(tls !== undefined && { tls }),
    ...(flags.tlsClients !== undefined && { certificatesOf: flags.tlsClients }),
    ...(workerToken !== undefined && workerToken !== "" && { workerToken }),
    isBehindProxy: flags.behindProxy === true,
    hostNames: flags.hostNames ?? [],
    ...(tracing !== null && { tracing }),
  });
  if (tls !== undefined) followTls(flags, tls, api, parts.log);
  return api;
}

/** A certificate is renewed while the master runs: its files are looked at now and then. */
function followTls(flags: MasterFlags, first: TlsContent, api: ApiServer, log: Log): void {
  let last = first;
  const look = () => {
    try {
      const content = readTls(flags) ?? last;
      if (content.cert === last.cert && content.key === last.key && content.ca === last.ca) return;
      api.renewTls(content);
      last = content;
      log.info("the certificate was renewed", { file: flags.tlsCert });
    } catch (error) {
      log.warn("the new certificate cannot be used; the one before stays", { file: flags.tlsCert, error });
    }
  };
  setInterval(look, defaults.tlsLookMs).unref();
}

/** Resolves when this master leads, or knows who does. */
async function untilServing(master: Master): Promise<boolean> {
  for (;;) {
    const { role, leader } = master.service.status();
    if (role === "leader" || (role === "standby" && leader !== null)) return true;
    await setTimeout(defaults.readyPollMs);
  }
}

/** Whoever reaches the API can run commands on every worker, so this is checked before anything is opened. */
function refuseExposure(address: string, token: string | null): void {
  try {
    checkExposure(address, token === null ? null : new TokenCheck(token));
  } catch (error) {
    if (error instanceof OutlastError) throw new UsageError(error.message, error.details.hint ?? null);
    throw error;
  }
}

/** Others cannot connect to an address that means "every interface". */
function advertisedAddress(address: string, port: number, scheme: string): string {
  const isEvery = address === "0.0.0.0" || address === "::";
  const host = isEvery ? hostname() : address;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
