/** Many connections that do one tiresome thing together, while honest work must go on and memory must stay bounded. */
import { limits } from "../../model/limits.ts";
import { Random } from "../simulation/random.ts";
import { attachBody } from "./cast.ts";
import { toJsonText } from "./jsonText.ts";
import type { World } from "./player.ts";
import { Wire } from "./rawConnection.ts";
import { readVitals } from "./vitals.ts";

export interface Siege {
  readonly name: string;
  /** @returns what went wrong, as sentences */
  lay(world: World, random: Random): Promise<readonly string[]>;
}

export interface SiegeResult {
  readonly name: string;
  readonly peakBytes: number;
  readonly problems: readonly string[];
}

/** However hard it is pressed, a master needs no more than this beyond what it had. */
const growthBytesMax = 1024 * 1024 * 1024;
const lookEveryMs = 50;
/** Beyond the server's own limits, for a busy machine. */
const patienceMs = 8_000;

export async function layAll(
  sieges: readonly Siege[],
  world: World,
  seed: number,
  pid: () => number | null,
): Promise<readonly SiegeResult[]> {
  const results: SiegeResult[] = [];
  for (const siege of sieges) {
    const resident = () => readVitals(pid() ?? 0)?.residentBytes ?? 0;
    const before = resident();
    let peakBytes = before;
    const timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, resident());
    }, lookEveryMs);
    const problems = [...(await siege.lay(world, new Random(`siege ${seed}/${siege.name}`)))];
    clearInterval(timer);
    if (pid() === null) problems.push("The master did not survive it.");
    if (peakBytes - before > growthBytesMax) {
      problems.push(`It made the master grow from ${megabytes(before)} to ${megabytes(peakBytes)} MB.`);
    }
    results.push({ name: siege.name, peakBytes, problems });
  }
  return results;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

export const sieges: readonly Siege[] = [
  { name: "idle connections", lay: (world) => closedInTime(world, 1000, "", limits.headersWaitMsMax) },
  { name: "slow heads", lay: slowHeads },
  { name: "slow bodies", lay: slowBodies },
  { name: "bodies that stop short", lay: unfinishedBodies },
  { name: "whole bodies at once", lay: wholeBodies },
  { name: "readers who never read", lay: neverRead },
  { name: "pages over pages", lay: pageFlood },
  { name: "a crowd of workers", lay: workerCrowd },
  { name: "strangers", lay: strangerFlood },
];

function head(world: World, line: string, ...headers: readonly string[]): string {
  const auth = world.token === null ? [] : [`authorization: Bearer ${world.token}`];
  return `${[`${line} HTTP/1.1`, `host: ${world.url.host}`, ...auth, ...headers].join("\r\n")}\r\n\r\n`;
}

async function openMany(world: World, count: number): Promise<Wire[]> {
  const wires: Wire[] = [];
  for (let opened = 0; opened < count; opened += 50) {
    wires.push(
      ...(await Promise.all(Array.from({ length: Math.min(50, count - opened) }, () => Wire.open(world.url)))),
    );
  }
  return wires;
}

async function closedInTime(world: World, count: number, text: string, limitMs: number): Promise<string[]> {
  const wires = await openMany(world, count);
  for (const wire of wires) wire.send(Buffer.from(text));
  const left = await leftAfter(wires, limitMs + patienceMs);
  for (const wire of wires) wire.close();
  return left === 0 ? [] : [`${left} of ${count} connections were still open after ${limitMs + patienceMs} ms.`];
}

async function leftAfter(wires: readonly Wire[], ms: number): Promise<number> {
  const until = performance.now() + ms;
  while (wires.some((wire) => !wire.isGone) && performance.now() < until) await pause(100);
  return wires.filter((wire) => !wire.isGone).length;
}

async function slowHeads(world: World): Promise<string[]> {
  const wires = await openMany(world, 300);
  for (const wire of wires) wire.send(Buffer.from("GET /healthz HTTP/1.1\r\n"));
  const timer = setInterval(() => {
    for (const wire of wires) wire.send(Buffer.from("x: y\r\n"));
  }, 1000);
  const left = await leftAfter(wires, limits.headersWaitMsMax + patienceMs);
  clearInterval(timer);
  for (const wire of wires) wire.close();
  return left === 0 ? [] : [`${left} of 300 heads that dripped in were still waited for.`];
}

async function slowBodies(world: World): Promise<string[]> {
  const wires = await openMany(world, 200);
  const first = head(world, "POST /v1/tasks", "content-type: application/json", "content-length: 1000000");
  for (const wire of wires) wire.send(Buffer.from(`${first}{`));
  const timer = setInterval(() => {
    for (const wire of wires) wire.send(Buffer.from(" "));
  }, 500);
  const left = await leftAfter(wires, limits.requestWaitMsMax + patienceMs);
  clearInterval(timer);
  for (const wire of wires) wire.close();
  return left === 0 ? [] : [`${left} of 200 bodies that dripped in were still waited for.`];
}

/** Each nearly as large as it may be, and none ever whole: what is held in memory for them must be bounded. */
async function unfinishedBodies(world: World): Promise<string[]> {
  const bytes = limits.batchBodyBytesMax;
  const first = head(world, "POST /v1/tasks/batch", "content-type: application/json", `content-length: ${bytes}`);
  const wires = await openMany(world, 150);
  const body = Buffer.alloc(bytes - 1, 32);
  for (const wire of wires) {
    wire.send(Buffer.from(first));
    wire.send(body);
  }
  await pause(10_000);
  for (const wire of wires) wire.close();
  return [];
}

/** Whole ones, of the kind that is dear to look at. Each gets an answer, if only that there is too much of it. */
async function wholeBodies(world: World): Promise<string[]> {
  const item = '{"kind":"sleep","input":{"seconds":1},"queue":"fq-3","x":1},';
  const body = Buffer.from(`{"tasks":[${item.repeat(9_999)}{}]}`);
  const first = head(world, "POST /v1/tasks/batch", "content-type: application/json", `content-length: ${body.length}`);
  const wires = await openMany(world, 100);
  for (const wire of wires) {
    wire.expect("POST");
    wire.send(Buffer.from(first));
    wire.send(body);
  }
  const received = await Promise.all(wires.map((wire) => wire.receive(60_000)));
  for (const wire of wires) wire.close();
  const unanswered = received.filter(({ kind }) => kind !== "answer").length;
  const taken = received.filter((each) => each.kind === "answer" && each.answer.status < 400).length;
  return [
    ...(unanswered === 0 ? [] : [`${unanswered} of 100 large bodies got no answer.`]),
    ...(taken === 0 ? [] : [`${taken} bad batches were taken.`]),
  ];
}

/** More event streams than there may be, from the journal's very beginning, and nobody reads. */
async function neverRead(world: World): Promise<string[]> {
  const wires = await openMany(world, limits.eventSubscribersMax + 200);
  for (const [index, wire] of wires.entries()) {
    if (index % 2 === 0) wire.pauseReading();
    wire.expect("GET");
    wire.send(Buffer.from(head(world, "GET /v1/events?after=0")));
  }
  await pause(limits.subscriberStallMsMax + 2_000);
  const refused = await Promise.all(wires.filter((_, index) => index % 2 === 1).map((wire) => wire.receive(10)));
  for (const wire of wires) wire.close();
  return refused.flatMap((each) =>
    each.kind === "answer" && ![200, 429].includes(each.answer.status)
      ? [`A stream was answered ${each.answer.status}.`]
      : [],
  );
}

/** The dearest reads there are, from many connections at once and without a pause. Heartbeats must not starve. */
async function pageFlood(world: World): Promise<string[]> {
  const paths = [
    "/v1/tasks?limit=1000",
    "/v1/tasks?limit=1000&order=oldest&host=nobody",
    "/metrics",
    "/openapi.json",
    "/v1/workers",
  ];
  const wires = await openMany(world, 300);
  const until = performance.now() + 20_000;
  const served = await Promise.all(
    wires.map(async (wire, index) => {
      const path = paths[index % paths.length] ?? "/";
      let count = 0;
      while (performance.now() < until && !wire.isClosed) {
        wire.expect("GET");
        wire.send(Buffer.from(head(world, `GET ${path}`)));
        const received = await wire.receive(60_000);
        if (received.kind !== "answer") return null;
        if (received.answer.status >= 400 && received.answer.status !== 429 && received.answer.status !== 503)
          return null;
        if (received.answer.headers.get("connection") === "close") return count;
        count += 1;
      }
      return count;
    }),
  );
  for (const wire of wires) wire.close();
  const lost = served.filter((count) => count === null).length;
  return lost === 0 ? [] : [`${lost} of 300 readers were not answered as they should have been.`];
}

async function workerCrowd(world: World, random: Random): Promise<string[]> {
  const wires = await openMany(world, 50);
  const statuses = new Map<number, number>();
  let next = 0;
  await Promise.all(
    wires.map(async (wire) => {
      while (next < 3000 && !wire.isClosed) {
        const number = next++;
        const queues = Array.from({ length: 20 }, (_, index) => `fq-${(number + index) % 40}`);
        const body = toJsonText(attachBody(random, { boot: `fb-${number}`, queues, running: [], outbox: [] }));
        const bytes = Buffer.from(body.replaceAll(/\{\{\w+\}\}/g, "x"));
        wire.expect("POST");
        const path = `POST /v1/workers/fc-${number}/sessions`;
        wire.send(Buffer.from(head(world, path, "content-type: application/json", `content-length: ${bytes.length}`)));
        wire.send(bytes);
        const received = await wire.receive(30_000);
        const status = received.kind === "answer" ? received.answer.status : 0;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 0) return;
      }
    }),
  );
  for (const wire of wires) wire.close();
  const odd = [...statuses].filter(([status]) => ![200, 429].includes(status));
  return odd.map(([status, count]) => `${count} workers were answered ${status === 0 ? "nothing" : status}.`);
}

/** Wrong tokens, or none, with bodies that must not even be read. Where no token is in use there are no strangers. */
async function strangerFlood(world: World): Promise<string[]> {
  if (world.token === null) return [];
  const wires = await openMany(world, 200);
  const bytes = limits.batchBodyBytesMax;
  const text = `POST /v1/tasks/batch HTTP/1.1\r\nhost: ${world.url.host}\r\nauthorization: Bearer guess\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
  for (const wire of wires) {
    wire.expect("POST");
    wire.send(Buffer.from(text));
    wire.send(Buffer.alloc(1_000_000, 32));
  }
  const received = await Promise.all(wires.map((wire) => wire.receive(30_000)));
  for (const wire of wires) wire.close();
  const odd = received.filter((each) => each.kind !== "answer" || each.answer.status !== 401).length;
  return odd === 0 ? [] : [`${odd} of 200 strangers were not told that they need a token.`];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
