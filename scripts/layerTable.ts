/** Who may import whom: the table that `layers.ts` checks over every file and prints into ARCHITECTURE.md. */

export interface Layer {
  /** Its folder in `src/`. `stores/*` stands for each folder in there, apart from each other. */
  readonly folder: string;
  readonly holds: string;
  /** Folders it may import besides itself. */
  readonly layers: readonly string[];
  /** Folders that it loads by `import()` and never when it starts. */
  readonly lazyLayers?: readonly string[];
  /** True if it loads files that users name. */
  readonly loadsUserCode?: boolean;
  /** Packages and built-in modules it may import; `node:*` stands for every built-in module. */
  readonly packages: readonly string[];
}

export const layers: readonly Layer[] = [
  {
    folder: "model",
    holds: "data types and their validation: task, attempt, worker, queue, entry, ids, errors, limits",
    layers: [],
    packages: ["node:zlib"],
  },
  {
    folder: "core",
    holds: "pure state machines: `Scheduler` on the leader, `Agent` on each worker, `Candidate` on each master",
    layers: ["model"],
    packages: [],
  },
  {
    folder: "ports",
    holds: "interfaces, and what implementations must do: store, blobs, clock, transport, peers, log, work",
    layers: ["model"],
    packages: [],
  },
  {
    folder: "master",
    holds:
      "a master around Scheduler and Candidate: `service` (what the API calls), `leadership`, `journal`, `streams`",
    layers: ["model", "core", "ports"],
    packages: ["node:crypto", "node:zlib"],
  },
  {
    folder: "s3",
    holds: "S3: buckets, conditional writes, what is told of failures; loads its SDK when the first request is made",
    layers: ["model"],
    packages: ["node:*", "@aws-sdk/client-s3", "@aws-sdk/lib-storage"],
  },
  {
    folder: "outbound",
    holds: "requests to services of others that users ask for: which addresses they may reach",
    layers: [],
    packages: ["node:dns", "node:net"],
  },
  {
    folder: "files",
    holds: "folders on this machine's disk: how they are made",
    layers: [],
    packages: ["node:*"],
  },
  {
    folder: "threads",
    holds: "how threads of this program are started, and find their code compiled",
    layers: [],
    packages: ["node:*"],
  },
  {
    folder: "worker",
    holds: "a worker around the Agent: session, `outbox`, `logs`, `executors`, `runners`",
    layers: ["model", "core", "ports", "outbound", "threads"],
    packages: ["node:*"],
  },
  {
    folder: "sdk",
    holds: "what users import: the HTTP client, and `handler`: tasks written as functions, and how they run",
    layers: ["model"],
    packages: ["node:*", "eventsource-parser"],
  },
  {
    folder: "mapreduce/engine",
    holds:
      "MapReduce as a library: ranges and lines, tables of keys, segments, merging, output; reads and writes through its callers",
    layers: ["model"],
    packages: ["node:zlib"],
  },
  {
    folder: "mapreduce",
    holds: "what users import as `outlast/mapreduce`: jobs, and how they are bundled and submitted",
    layers: ["model", "sdk", "mapreduce/engine"],
    loadsUserCode: true,
    packages: ["node:*", "esbuild"],
  },
  {
    folder: "mapreduce/coordinator",
    holds:
      "what a MapReduce job, its maps and its reduces do: over a port for files, so that the simulator runs it as well",
    layers: ["model", "sdk", "mapreduce", "mapreduce/engine"],
    packages: [],
  },
  {
    folder: "mapreduce/slot",
    holds: "the tasks of a MapReduce job, the thread that runs its functions, its files",
    layers: ["model", "sdk", "mapreduce", "mapreduce/engine", "mapreduce/coordinator", "s3", "threads", "files"],
    loadsUserCode: true,
    packages: ["node:*"],
  },
  {
    folder: "runner",
    holds: "the process that runs handlers: loads task files, runs one attempt at a time, reports to its worker",
    layers: ["model", "ports", "sdk"],
    loadsUserCode: true,
    packages: ["node:*"],
  },
  {
    folder: "api",
    holds: "a master's HTTP API: `routes`, `schemas`, `http`, `events`, `auth`",
    layers: ["model", "ports", "master"],
    packages: ["node:*", "fastify", "@fastify/busboy", "ajv", "prom-client"],
  },
  {
    folder: "stores",
    holds: "what all store drivers share: slots, cursors, applying an entry",
    layers: ["model", "ports"],
    packages: [],
  },
  {
    folder: "stores/*",
    holds: "memory, sqlite, mongodb: all pass one contract suite",
    layers: ["model", "ports", "stores", "threads"],
    packages: ["node:*", "mongodb"],
  },
  {
    folder: "blobs",
    holds: "what all drivers for files share: counting and hashing what is stored",
    layers: ["model", "ports"],
    packages: ["node:crypto"],
  },
  {
    folder: "blobs/*",
    holds: "directory, gridfs, http (through masters), memory, s3: all pass one contract suite",
    layers: ["model", "ports", "blobs", "s3", "files"],
    packages: ["node:*", "mongodb"],
  },
  {
    folder: "backends/*",
    holds: "container (podman, docker), remote (jobs of services): both pass one contract suite",
    layers: ["model", "ports"],
    packages: ["node:*"],
  },
  {
    folder: "node",
    holds: "the real clock, ids, log, HTTP connections, liveness probes and receivers of webhooks",
    layers: ["model", "ports", "outbound", "threads"],
    packages: ["node:*", "croner", "eventsource-parser", "pino", "standardwebhooks", "ulid"],
  },
  {
    folder: "telemetry",
    holds: "traces: spans for an OpenTelemetry collector; loaded only by processes that were told where one is",
    layers: ["model", "ports"],
    packages: [
      "@opentelemetry/api",
      "@opentelemetry/exporter-trace-otlp-http",
      "@opentelemetry/resources",
      "@opentelemetry/sdk-trace",
    ],
  },
  {
    folder: "testing",
    holds: "the testing kit `outlast/testing`: a cluster in the process of a test, and kills at every boundary",
    layers: ["model", "ports", "master", "worker", "sdk", "stores/*", "blobs/*", "node"],
    packages: ["node:*"],
  },
  {
    folder: "cli",
    holds: "the commands; the only folder that connects all parts; loads `proof` only for demo, stress and chaos",
    layers: [
      "model",
      "core",
      "ports",
      "master",
      "worker",
      "runner",
      "sdk",
      "mapreduce",
      "api",
      "stores/*",
      "blobs/*",
      "s3",
      "files",
      "backends/*",
      "node",
      "telemetry",
    ],
    lazyLayers: ["proof"],
    packages: ["node:*", "commander", "yaml"],
  },
  {
    folder: "proof",
    holds: "what tests the product: simulator, checkers, fuzzer, contract suites, fakes, demo, stress, chaos",
    layers: [
      "model",
      "core",
      "ports",
      "master",
      "worker",
      "runner",
      "sdk",
      "mapreduce",
      "mapreduce/engine",
      "mapreduce/coordinator",
      "api",
      "stores/*",
      "blobs/*",
      "backends/*",
      "node",
      "cli",
    ],
    packages: ["node:*", "commander", "vitest", "fast-check", "ajv"],
  },
];

/** What a unit test beside the source may import on top of what its folder may. */
export const forTests: Pick<Layer, "layers" | "packages"> = {
  layers: ["model", "core", "ports", "master", "worker", "stores/*", "blobs/*", "backends/*", "node", "proof"],
  packages: ["node:*", "vitest", "fast-check", "ajv", "@seriousme/openapi-schema-validator"],
};

export const beginMark = "<!-- layers: printed by `npm run layers -- --write` -->";
export const endMark = "<!-- /layers -->";

/** The table as it stands in ARCHITECTURE.md. */
export function toMarkdown(): string {
  const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(" ") || "—";
  const rows = layers.map(
    (layer) => `| \`${layer.folder}/\` | ${layer.holds} | ${code(layer.layers)} | ${code(layer.packages)} |`,
  );
  return ["| folder in `src/` | holds | may import | and from outside |", "|---|---|---|---|", ...rows].join("\n");
}
