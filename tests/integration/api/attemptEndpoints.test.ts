/** When the processes of attempts ended that were given up: what workers say over HTTP, and what the API shows of it. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiServer, createApi } from "../../../src/api/http/server.ts";
import { Master } from "../../../src/master/master.ts";
import type { AttemptRecord, TaskAttempt } from "../../../src/model/attemptRecord.ts";
import type { AttachRequest } from "../../../src/model/protocol.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { SystemIds } from "../../../src/node/ids.ts";
import { expectSchema } from "../../../src/proof/fakes/answerSchemas.ts";
import { attachRequest } from "../../../src/proof/fakes/attachRequest.ts";
import { RawConnection } from "../../../src/proof/fakes/rawHttp.ts";
import { MemoryStore } from "../../../src/stores/memory/store.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: Master;
let api: ApiServer;
let url: string;
const streams: RawConnection[] = [];

beforeEach(async () => {
  const ids = new SystemIds();
  master = new Master({
    ...{ name: "m1", address: "http://127.0.0.1:0", store: new MemoryStore({ ids }), clock: new SystemClock(), ids },
    log: silent,
    probe: async () => "unknown",
    peers: { watch: () => ({ close: () => {} }), probe: async () => "unknown" },
  });
  api = createApi({ master: master.service, log: silent, token: null });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
  await master.start(url);
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await api.close();
  await master.stop();
});

async function post<Body>(path: string, body: unknown = {}): Promise<Body> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()) as Body;
}

async function attach(change: Partial<AttachRequest> = {}) {
  const answer = await post<{ session: string; epoch: number }>("/v1/workers/w1/sessions", attachRequest(change));
  const stream = await RawConnection.open(url);
  streams.push(stream);
  stream.send(`GET /v1/workers/w1/stream?session=${answer.session} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return { ...answer, stream };
}

/** Of the only attempt of a task that runs. */
async function issuedOf(task: string) {
  await expect.poll(async () => (await attemptsOf(task)).length).toBe(1);
  const [attempt] = await attemptsOf(task);
  return { task, attempt: 1, assignedAt: attempt?.assignedAt ?? 0 };
}

async function attemptsOf(task: string): Promise<readonly AttemptRecord[]> {
  const answer = (await (await fetch(`${url}/v1/tasks/${task}/attempts`)).json()) as { attempts: AttemptRecord[] };
  expectSchema("AttemptsOfTask", answer);
  return answer.attempts;
}

test("a late result says when the process ended, in the list of the task and in that of all", async () => {
  const { session, epoch } = await attach();
  await post("/v1/tasks", { kind: "sleep", input: { seconds: 60 }, id: "a" });
  const issued = await issuedOf("a");
  await post("/v1/tasks/a/cancel");
  const processEndedAt = Date.now() + 4_000;
  const times = { startedAt: issued.assignedAt, endedAt: processEndedAt };
  const item = { kind: "result", ...issued, boot: "boot-1", outcome: "aborted", ...times };
  const answer = await post("/v1/workers/w1/reports", { boot: "boot-1", session, epoch, items: [item] });
  expect(answer).toMatchObject({ verdicts: [{ task: "a", attempt: 1, verdict: "stale" }] });
  await expect.poll(() => attemptsOf("a")).toMatchObject([{ outcome: "cancelled", processEndedAt }]);
  const all = (await (await fetch(`${url}/v1/attempts`)).json()) as { attempts: TaskAttempt[] };
  expectSchema("TaskAttemptPage", all);
  expect(all.attempts).toMatchObject([{ task: "a", attempt: 1, processEndedAt }]);
});

test("a worker that attaches again says it with what waits in its outbox; one of an older version does not", async () => {
  await attach();
  for (const id of ["a", "b"]) await post("/v1/tasks", { kind: "sleep", input: { seconds: 60 }, id });
  const [ofA, ofB] = [await issuedOf("a"), await issuedOf("b")];
  for (const id of ["a", "b"]) await post(`/v1/tasks/${id}/cancel`);
  const processEndedAt = Date.now() + 4_000;
  const outbox = [{ ...ofB }, { ...ofA, endedAt: processEndedAt }] as unknown as AttachRequest["outbox"];
  const answer = await attach({ outbox });
  expect(answer).toMatchObject({ verdicts: [{ task: "b" }, { task: "a" }] });
  await expect.poll(() => attemptsOf("a")).toMatchObject([{ outcome: "cancelled", processEndedAt }]);
  const [older] = await attemptsOf("b");
  expect(older).toMatchObject({ outcome: "cancelled" });
  expect(older).not.toHaveProperty("processEndedAt");
});
