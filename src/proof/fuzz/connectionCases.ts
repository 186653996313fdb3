/** What breaks the rules of HTTP itself: lengths that lie, bodies without end, pipelines, garbage, and mutated requests. */
import { gzipSync } from "node:zlib";
import type { Random } from "../simulation/random.ts";
import { mutateBytes } from "./byteMutations.ts";
import { sampleNames } from "./cast.ts";
import { type CaseTools, call } from "./clientCases.ts";
import { type Header, type Payload, type RawStep, type RequestStep, type Step, toBytes } from "./steps.ts";

const nap = '{"kind":"sleep","input":{"seconds":1},"queue":"fq-0"}';

function head(line: string, ...headers: readonly string[]): string {
  return `${line} HTTP/1.1\r\nHost: localhost\r\n{{auth}}${headers.map((header) => `${header}\r\n`).join("")}\r\n`;
}

function submitHead(...headers: readonly string[]): string {
  return head("POST /v1/tasks", "Content-Type: application/json", ...headers);
}

function raw(parts: readonly Payload[], more: Partial<RawStep> = {}): RawStep {
  return { kind: "raw", parts, pauseMs: 0, ending: "wait", ...more };
}

/** Whatever was done on the wire, the next client must be served. */
const after = call("GET", "/healthz");

export function lyingLengths(random: Random): Step[] {
  const length = nap.length;
  const framings: readonly (readonly string[])[] = [
    [`Content-Length: ${length - 5}`],
    [`Content-Length: ${length + 5}`],
    ["Content-Length: 1048577"],
    ["Content-Length: 99999999999999999999"],
    ["Content-Length: -1"],
    ["Content-Length: +5"],
    ["Content-Length: abc"],
    ["Content-Length:"],
    [`Content-Length: ${length}`, "Content-Length: 5"],
    [`Content-Length: ${length}, 5`],
    [`Content-Length: ${length}`, "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding : chunked"],
    ["Transfer-Encoding:\tchunked"],
    [`Content-Length: ${length}`, "Expect: 100-continue"],
    [`Content-Length: ${length}`, "Expect: 200-maybe"],
    [],
  ];
  const framing = random.pick(framings);
  const body = random.pick([nap, `${nap}GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n`, nap.slice(0, 10)]);
  const ending = random.pick(["wait", "wait", "close", "half-close", "reset"] as const);
  return [raw([[submitHead(...framing), body]], { ending }), after];
}

export function chunks(random: Random): Step[] {
  const size = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const body = random.pick<Payload>([
    [size(nap), "0\r\n\r\n"],
    [size(nap.slice(0, 7)), size(nap.slice(7)), "0\r\n\r\n"],
    // Without end.
    [size(nap)],
    ["ffffffffffffffff\r\n"],
    ["-5\r\nhello\r\n0\r\n\r\n"],
    ["5;a=b;c\r\nhello\r\n0\r\n\r\n"],
    [`5;${"x".repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
    ["5\nhello\n0\n\n"],
    ["0x5\r\nhello\r\n0\r\n\r\n"],
    [size(nap), "0\r\nContent-Length: 5\r\nHost: evil\r\n\r\n"],
    [{ repeat: "1\r\n \r\n", times: random.pick([10, 20_000]) }, "0\r\n\r\n"],
    [{ repeat: `400\r\n${" ".repeat(1024)}\r\n`, times: 1100 }],
  ]);
  const ending = random.pick(["wait", "close", "half-close", "reset"] as const);
  return [raw([[submitHead("Transfer-Encoding: chunked")], body], { ending }), after];
}

/** Bodies that come a little at a time, or stop coming. */
export function halfBodies(random: Random): Step[] {
  const parts = [nap.slice(0, 3), nap.slice(3, 20), nap.slice(20)].slice(0, random.integer(1, 3));
  const ending = random.pick(["wait", "close", "reset", "half-close"] as const);
  const isWhole = parts.length === 3 && ending === "wait";
  const first = submitHead(`Content-Length: ${nap.length}`);
  const step = raw([[first], ...parts.map((part) => [part])], { pauseMs: random.pick([0, 5, 30]), ending });
  return [isWhole ? { ...step, answers: 1 } : step, after];
}

export function pipelines(random: Random): Step[] {
  const requests = Array.from({ length: random.pick([2, 10, 200]) }, () =>
    random.pick([
      head("GET /v1/status"),
      head("GET /healthz"),
      head("GET /v1/tasks?limit=1"),
      head("GET /nowhere"),
      `${submitHead(`Content-Length: ${nap.length}`)}${nap}`,
    ]),
  );
  const answers = requests.length;
  return random.pick<Step[]>([
    [raw([requests], { answers })],
    [
      raw(
        requests.slice(0, 20).map((request) => [request]),
        { answers: Math.min(20, answers) },
      ),
    ],
    [raw([[...requests, "GARBAGE\r\n\r\n"]])],
    [raw([[...requests, submitHead("Content-Length: 100"), "{"]], { ending: "close" })],
    [raw([[{ repeat: "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", times: 500 }]], { ending: "reset" })],
  ]);
}

export function compressed(random: Random): Step[] {
  const body = gzipSync(Buffer.alloc(random.pick([10, 1_000_000]), 32));
  const encoding: Header = ["content-encoding", random.pick(["gzip", "deflate", "gzip, gzip", "GZIP", "x-gzip"])];
  const request = call("POST", random.pick(["/v1/tasks", "/v1/tasks/batch"]), "", {
    headers: [["content-type", "application/json"], encoding],
    body: [{ base64: body.toString("base64") }],
    mustBeRefused: true,
  });
  return [request, after];
}

export function garbage(random: Random): Step[] {
  const text = random.pick<Payload>([
    ["\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["GET /healthz\r\n\r\n"],
    ["GET /healthz HTTP/1.0\r\n\r\n"],
    ["GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n"],
    ["get /healthz http/1.1\r\nHost: localhost\r\n\r\n"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    [head("GET /healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")],
    [head("GET /v1/events", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x")],
    [head("CONNECT 127.0.0.1:22")],
    [head("OPTIONS *")],
    [head("GET http://evil.example/v1/tasks")],
    [head("GET //evil.example/v1/tasks")],
    [head("GET /v1/tasks/%2e%2e/%2e%2e/etc/passwd")],
    [head("GET /v1/tasks/%00")],
    [head("GET /v1/tasks/%ff%fe")],
    [head(`GET /v1/tasks/${"a".repeat(random.pick([129, 512, 513, 15_000, 17_000]))}`)],
    [head("GET /healthz", `X-Long: ${"x".repeat(17_000)}`)],
    [head("GET /healthz", ...Array.from({ length: 1900 }, (_, index) => `a${index}: b`))],
    [head("GET /healthz", "X-A: b\r\n folded")],
    [head("GET /healthz", "No colon here")],
    [head("GET /healthz", "X-\u0000: b")],
    [head("GET /healthz", "Host: second.example")],
    [{ base64: "FgMBAgABAAH8AwMAAAAAAAAAAAAAAAAAAAAAAAAA" }],
    [{ base64: Buffer.from(Array.from({ length: 200 }, () => random.integer(0, 255))).toString("base64") }],
    [{ repeat: "\r\n", times: 5000 }],
    [{ repeat: "A", times: 100_000 }],
  ]);
  return [raw([text], { ending: random.pick(["wait", "half-close", "reset"]) }), after];
}

/** A good request of any operation, written out and then changed byte by byte. */
export function mutated(random: Random, { requests }: CaseTools): Step[] {
  const operation = random.pick(requests.document.operations);
  const whole = written(requests.good(operation, random));
  const bytes = mutateBytes(whole, random);
  const lineEnd = bytes.indexOf("\r\n") + 2;
  const piece = (part: Buffer) => ({ base64: part.toString("base64") });
  return [raw([[piece(bytes.subarray(0, lineEnd)), "{{auth}}", piece(bytes.subarray(lineEnd))]]), after];
}

/** With sample names, so that the bytes do not depend on the run. */
function written({ method, path, headers, body }: RequestStep): Buffer {
  const bytes = body === null ? Buffer.alloc(0) : toBytes(body, sampleNames);
  const lines = [...headers.map(([name, value]) => `${name}: ${value}`), `content-length: ${bytes.length}`];
  const text = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join("\r\n")}\r\n\r\n`;
  return Buffer.concat([toBytes([text], sampleNames), bytes]);
}
