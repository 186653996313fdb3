/** The options that `master`, `worker` and `up` share, so that they mean and say the same everywhere. */
import { Option } from "commander";
import { defaults, failoverProfiles, limits } from "../model/limits.ts";
import type { LogFormat, LogLevel } from "../node/log.ts";
import { certificateNeeds } from "../ports/transport.ts";
import { collectorUrl, hostNames, idList, positiveDuration, wholeNumber } from "./arguments.ts";
import type { Context } from "./context.ts";

// Said here again because the log itself loads a logger, which the help does not need.
const levels: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
const formats: readonly LogFormat[] = ["pretty", "json"];

export interface LogFlags {
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
}

export function dataOption(): Option {
  return new Option("--data <directory>", "directory for the store, outboxes and logs")
    .env("OUTLAST_DATA")
    .default("outlast-data");
}

export function storeOption(): Option {
  return new Option(
    "--store <store>",
    "sqlite:FILE, mongodb://HOST/DATABASE, or memory: (lost when the master stops); default: sqlite:DATA/outlast.db",
  ).env("OUTLAST_STORE");
}

export function blobsOption(): Option {
  return new Option(
    "--blobs <place>",
    "where files are kept: directory:PATH on a volume that all masters share, gridfs: in a MongoDB store, s3://BUCKET/PREFIX, or memory:; default: gridfs: with MongoDB, else DATA/blobs",
  ).env("OUTLAST_BLOBS");
}

/** For commands that work on a store themselves, without a master. */
export function requiredStoreOption(kinds: string): Option {
  return new Option("--store <store>", kinds).env("OUTLAST_STORE").makeOptionMandatory();
}

export function addressOption(): Option {
  return new Option(
    "--address <address>",
    "address to listen on; other machines can reach it only if a token is set",
  ).default(defaults.address);
}

export function portOption(): Option {
  return new Option("--port <port>", "port to listen on; 0 picks a free one")
    .default(defaults.port)
    .argParser(wholeNumber(0, limits.portMax));
}

export interface ClusterFlags {
  readonly failover: keyof typeof failoverProfiles;
  readonly retention: number;
  readonly finishedMax: number;
}

/** What every master of a cluster must be told alike, since each may lead. */
export function clusterOptions(): readonly Option[] {
  return [
    new Option("--failover <profile>", "how soon a leader that hangs is replaced: usual after 2 s, fast after 0.7 s")
      .env("OUTLAST_FAILOVER")
      .choices(Object.keys(failoverProfiles))
      .default("usual"),
    new Option("--retention <duration>", "how long finished tasks are kept")
      .default(defaults.retentionMs, "7d")
      .argParser(positiveDuration),
    new Option("--finished-max <count>", "how many finished tasks are kept; the oldest are removed first")
      .default(defaults.finishedTasksMax)
      .argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  ];
}

/** The same on the command line of a master. */
export function clusterArguments({ failover, retention, finishedMax }: ClusterFlags): string[] {
  return ["--failover", failover, "--retention", `${retention}ms`, "--finished-max", String(finishedMax)];
}

export function queuesOption(): Option {
  return new Option("--queues <names>", "queues to serve, separated by commas")
    .default([defaults.queue], defaults.queue)
    .argParser(idList);
}

export function tasksOption(): Option {
  return new Option(
    "--tasks <paths...>",
    "files, folders or patterns with tasks made by defineTask(); .ts runs as it is",
  );
}

export function tlsOptions(): readonly Option[] {
  return [
    new Option(
      "--tls-cert <file>",
      "serve HTTPS with this certificate (PEM, with those between it and its authority)",
    ).env("OUTLAST_TLS_CERT"),
    new Option("--tls-key <file>", "the key of the certificate (PEM)").env("OUTLAST_TLS_KEY"),
    new Option("--tls-client-ca <file>", "ask for certificates that this authority (PEM) has signed").env(
      "OUTLAST_TLS_CLIENT_CA",
    ),
    new Option("--tls-clients <who>", "who must show one: workers, or all who connect")
      .env("OUTLAST_TLS_CLIENTS")
      .choices([...certificateNeeds]),
  ];
}

export function proxyOption(): Option {
  return new Option(
    "--behind-proxy",
    "believe X-Forwarded-For, -Proto and -Host, which a proxy in front of this master must set on every request",
  ).env("OUTLAST_BEHIND_PROXY");
}

export function hostNamesOption(): Option {
  return new Option(
    "--host-names <names>",
    "names that people reach this master by besides its own, such as a load balancer's, separated by commas",
  )
    .env("OUTLAST_HOST_NAMES")
    .argParser(hostNames);
}

export function runAsOption(): Option {
  return new Option("--run-as <user>", "run tasks as this user instead of the worker's own; needs root").env(
    "OUTLAST_RUN_AS",
  );
}

export function httpPrivateOption(): Option {
  return new Option(
    "--http-private",
    "let tasks of kind http call private addresses (127.0.0.1, 10.x, 192.168.x, …), which is refused otherwise",
  );
}

export function remoteOption(): Option {
  return new Option(
    "--remote <files...>",
    "files that describe services, in YAML or JSON: tasks of kind remote can then be their jobs",
  );
}

export interface ContainerFlags {
  /** True: the engine that is installed. */
  readonly container?: string | true;
  readonly containerMount?: readonly string[];
}

export function containerOptions(): readonly Option[] {
  return [
    new Option(
      "--container [engine]",
      "run tasks of kind container with podman or docker; without a name, with the one that is installed",
    ),
    new Option(
      "--container-mount <folders...>",
      "folders of this machine that containers of tasks may mount; none otherwise",
    ),
  ];
}

/** The same on the command line of a worker. */
export function containerArguments({ container, containerMount = [] }: ContainerFlags): string[] {
  const engine = container === undefined ? [] : ["--container", ...(container === true ? [] : [container])];
  return [...engine, ...(containerMount.length === 0 ? [] : ["--container-mount", ...containerMount])];
}

export function jobsUseS3Option(): Option {
  return new Option(
    "--jobs-use-s3",
    "hand the AWS_ variables of this worker to MapReduce jobs, so that they read and write s3:// addresses; the code of a job can see them",
  ).env("OUTLAST_JOBS_USE_S3");
}

export function jobsWarmOption(): Option {
  return new Option(
    "--jobs-warm",
    "start a process for MapReduce jobs with the worker, so that the first job need not wait for it; it takes up about 60 MB",
  ).env("OUTLAST_JOBS_WARM");
}

export function webhookPrivateOption(): Option {
  return new Option(
    "--webhook-private",
    "let receivers of webhooks be on private addresses (127.0.0.1, 10.x, 192.168.x, …), which are refused otherwise; the same for all masters",
  );
}

export function otlpOption(): Option {
  return new Option(
    "--otlp-endpoint <url>",
    "send traces to this OpenTelemetry collector, as OTLP over HTTP, such as http://127.0.0.1:4318",
  )
    .env("OTEL_EXPORTER_OTLP_ENDPOINT")
    .argParser(collectorUrl);
}

export function logOptions(): readonly Option[] {
  return [
    new Option("--log-level <level>", "lowest level that is logged to stderr").choices(levels).default("info"),
    new Option("--log-format <format>", "format of the log; default: pretty in a terminal, json elsewhere").choices(
      formats,
    ),
  ];
}

export function allowFaultsOption(): Option {
  return new Option("--allow-faults", "for demonstrations: fail on purpose as the variable OUTLAST_FAIL says");
}

export function stopOnStdinEndOption(): Option {
  return new Option(
    "--stop-on-stdin-end",
    "stop when stdin closes, so that the process ends with the supervisor that started it",
  );
}

/** The option of commands that start masters themselves. `--masters` stands for addresses everywhere else, and once meant this. */
export function masterCountOptions(description: string, max: number, byDefault: number): readonly Option[] {
  const parse = wholeNumber(1, max);
  return [
    new Option("--master-count <n>", description).argParser(parse).default(byDefault),
    new Option("--masters <n>").argParser(parse).hideHelp(),
  ];
}

export interface MasterCountFlags {
  readonly masterCount: number;
  /** The old spelling. */
  readonly masters?: number;
}

export function masterCount(context: Context, { masterCount: count, masters }: MasterCountFlags): number {
  if (masters === undefined) return count;
  context.output.note(`--masters is for addresses of masters. For their number, use: --master-count ${masters}`);
  return masters;
}
