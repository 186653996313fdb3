/** Traces as a collector gets them from real masters and workers: one tree from the submission to the last child. */

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { type Scene, scene } from "./scene.ts";
import { traced } from "./tasks/traced.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const caller = `00-${trace}-b7ad6b7169203331-01`;
const file = fileURLToPath(new URL("./tasks/traced.ts", import.meta.url));

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number;
}

interface Attribute {
  readonly key: string;
  readonly value: Value;
}

/** A span as OTLP/JSON writes it. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number; readonly message?: string };
  /** Of its resource. */
  readonly service: string;
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<Span, "service">[] }[];
  }[];
}

class Collector {
  readonly spans: Span[] = [];
  readonly paths = new Set<string>();
  readonly #server: Server = createServer((request, response) => void this.#take(request, response));

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  named(name: string): Span | undefined {
    return this.spans.find((span) => span.name === name);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.paths.add(`${request.method} ${request.url} ${request.headers["content-type"]}`);
    const { resourceSpans } = (await json(request)) as ExportRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = textIn(resource.attributes, "service.name");
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => ({ ...span, service })));
    }
    response.setHeader("content-type", "application/json").end("{}");
  }
}

function textIn(attributes: readonly Attribute[], key: string): string {
  const value = attributes.find((each) => each.key === key)?.value;
  return String(value?.stringValue ?? value?.intValue);
}

function msOf({ startTimeUnixNano: from, endTimeUnixNano: to }: Span): number {
  return Number(BigInt(to) - BigInt(from)) / 1e6;
}

let collector = new Collector();
afterEach(() => {
  collector.stop();
  collector = new Collector();
});

function arrived(play: Scene, ...names: string[]): Promise<unknown> {
  return play.until(`the spans ${names.join(", ")}`, () => names.every((name) => collector.named(name) !== undefined));
}

test("a submission, its attempts, their steps and their children are one trace, under that of the caller", async () => {
  const endpoint = await collector.start();
  await scene(
    ["master", "worker-1"],
    async (play) => {
      const ledger = join(play.directory, "ledger");
      const task = await traced.submit(play.client, { ledger }, { id: "t", traceparent: caller });
      await task.result();
      await arrived(play, "submit traced", "attempt traced", "step prepare", "attempt traced-child");
      const attemptsOf = () => collector.spans.filter(({ name }) => name === "attempt traced");
      await play.until("the span of its second attempt", () => attemptsOf().length > 1);
      expect([...collector.paths]).toEqual(["POST /v1/traces application/json"]);
      expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([trace]));
      const submit = collector.named("submit traced");
      const attempts = attemptsOf();
      const step = collector.named("step prepare");
      const child = collector.named("attempt traced-child");
      expect(submit).toMatchObject({ parentSpanId: "b7ad6b7169203331", service: "outlast-master" });
      // It was suspended while its child ran.
      expect(attempts.map(({ attributes }) => textIn(attributes, "outlast.attempt"))).toEqual(["1", "2"]);
      for (const attempt of attempts)
        expect(attempt).toMatchObject({ parentSpanId: submit?.spanId, service: "outlast-worker" });
      expect(step?.parentSpanId).toBe(attempts[0]?.spanId);
      expect(msOf(step!)).toBeGreaterThanOrEqual(29);
      expect(child?.parentSpanId).toBe(attempts[0]?.spanId);
      expect(textIn(attempts[0]!.attributes, "outlast.task.id")).toBe("t");
      expect(readFileSync(ledger, "utf8").split("\n")).toEqual([
        `parent 00-${trace}-${attempts[0]?.spanId}-01`,
        `child 00-${trace}-${child?.spanId}-01`,
        `parent 00-${trace}-${attempts[1]?.spanId}-01`,
        "",
      ]);
    },
    { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, workerArguments: ["--tasks", file] },
  );
});

test("commands, services and nodes of graphs are told their trace; a failure is one of its span", async () => {
  const endpoint = await collector.start();
  const headers: (string | undefined)[] = [];
  const service = createServer((request, response) => {
    headers.push(String(request.headers["traceparent"]));
    response.end();
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  try {
    await scene(
      ["master", "worker-1"],
      async (play) => {
        const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
        const tasks = {
          command: { kind: "exec", input: { command: ["sh", "-c", "echo $TRACEPARENT; exit 3"] }, attemptsMax: 1 },
          service: { kind: "http", input: { url } },
        } as const;
        const options = { traceparent: caller };
        await play.client.submit({ id: "g", kind: "graph", input: { tasks, onFailure: "continue" } } as never, options);
        await arrived(play, "submit graph", "attempt exec", "attempt http");
        const parent = collector.named("submit graph")?.spanId;
        const command = collector.named("attempt exec");
        const call = collector.named("attempt http");
        expect(command).toMatchObject({ traceId: trace, parentSpanId: parent, status: { code: 2 } });
        expect(command?.status.message).toContain("exit code 3");
        expect(call).toMatchObject({ traceId: trace, parentSpanId: parent });
        expect(call?.status.code ?? 0).toBe(0);
        expect(headers).toEqual([`00-${trace}-${call?.spanId}-01`]);
        const id = textIn(command!.attributes, "outlast.task.id");
        expect(await play.logOf(id)).toContain(`00-${trace}-${command?.spanId}-01`);
      },
      {
        masterArguments: ["--otlp-endpoint", endpoint],
        workerArguments: ["--otlp-endpoint", endpoint, "--http-private"],
      },
    );
  } finally {
    service.closeAllConnections();
    service.close();
  }
});

test("a collector that is away costs nothing; without one, a trace is handed on as it is", async () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };
  for (const options of [{ environment }, {}]) {
    await scene(
      ["master", "worker-1"],
      async (play) => {
        const ledger = join(play.directory, "ledger");
        const task = await traced.submit(play.client, { ledger }, { id: "t", traceparent: caller });
        await task.result();
        const lines = readFileSync(ledger, "utf8").trimEnd().split("\n");
        expect(lines).toHaveLength(3);
        for (const line of lines) expect(line).toContain(trace);
        if (!("environment" in options))
          expect(new Set(lines.map((line) => line.split(" ")[1]))).toEqual(new Set([caller]));
        expect(
          await play.client.submit(
            { id: "t", kind: "traced", input: { ledger } },
            { traceparent: caller.replace("b7", "c8") },
          ),
        ).toMatchObject({ isNew: false });
        expect(existsSync(ledger)).toBe(true);
      },
      { ...options, workerArguments: ["--tasks", file] },
    );
  }
});
