/** As much as the limits allow, and a little more: what could keep a master busy, or fill it. */
import { limits } from "../../model/limits.ts";
import type { Random } from "../simulation/random.ts";
import { attachBody, forgedSession } from "./cast.ts";
import { type CaseTools, call } from "./clientCases.ts";
import type { Header, Payload, Step } from "./steps.ts";

const json: readonly Header[] = [["content-type", "application/json"]];
const ndjson: readonly Header[] = [["content-type", "application/x-ndjson"]];
const nap = '{"kind":"sleep","input":{"seconds":1},"queue":"fq-3"}';

function post(path: string, body: Payload, headers: readonly Header[] = json): Step {
  return { kind: "request", method: "POST", path, headers, body };
}

/** A list of as many equal items as come to about so many bytes. */
function filled(before: string, item: string, after: string, bytes: number): Payload {
  const times = Math.max(1, Math.floor((bytes - before.length - after.length) / (item.length + 1)));
  return [before, { repeat: `${item},`, times: times - 1 }, item, after];
}

/** Everything at the edge of what a body may be, of the cheap and of the dear kind. */
export function bigBodies(random: Random): Step[] {
  const most = limits.batchBodyBytesMax;
  const report = '{"boot":"fb-0","session":"1.0","epoch":1,"items":';
  const attach = JSON.stringify(attachBody(random, { running: [], outbox: undefined, queues: ["fq-3"] }));
  const ref = '{"task":"a","attempt":1,"assignedAt":1}';
  const cases: readonly (readonly [path: string, body: Payload, headers?: readonly Header[]])[] = [
    // With a key, so that only the first of them creates tasks.
    [
      "/v1/tasks/batch",
      filled('{"tasks":[', nap, "]}", 10_000 * (nap.length + 1)),
      [...json, ["idempotency-key", "big"]],
    ],
    ["/v1/tasks/batch", filled('{"tasks":[', nap, "]}", most)],
    ["/v1/tasks/batch", [{ repeat: `${nap}\n`, times: 10_000 }], [...ndjson, ["idempotency-key", "lines"]]],
    ["/v1/tasks/batch", [{ repeat: "\n", times: most - 10 }, nap], ndjson],
    ["/v1/tasks/batch", [{ repeat: "[", times: most - 1 }]],
    ["/v1/tasks/batch", ['{"tasks":"', { repeat: "\\u0061", times: 2_000_000 }, '"}']],
    ["/v1/tasks/batch", filled('{"tasks":[', "1e5", "]}", most)],
    ["/v1/tasks/batch", filled('{"tasks":[', '{"k":{"k":[{}]}}', "]}", most)],
    ["/v1/tasks", ['{"kind":"exec","input":{"command":["', { repeat: "a", times: 65_536 }, '"]}}']],
    [
      "/v1/tasks",
      filled('{"queue":"fq-3","kind":"exec","input":{"command":["true",', `"${"a".repeat(65_000)}"`, "]}}", 1_000_000),
    ],
    ["/v1/workers/fw-0/reports", filled(`${report}[`, '{"kind":"bye"}', "]}", most)],
    ["/v1/workers/fw-0/reports", [`${report}[],"x":"`, { repeat: "\\ud83d\\ude00", times: 1_300_000 }, '"}']],
    [
      "/v1/workers/fw-0/reports",
      filled(`${report}[`, `{"kind":"result","task":"a","attempt":1,"assignedAt":1}`, "]}", 200_000),
    ],
    ["/v1/workers/fw-9/sessions", [`${attach.slice(0, -1)},"outbox":[`, ...list(ref, most - 2000), "]}"]],
    [
      "/v1/workers/fw-9/logs",
      [
        `{"session":"${forgedSession(random)}","chunks":[`,
        ...list('{"task":"a","attempt":1,"offset":0,"at":1,"base64":"","isTruncated":false}', most - 2000),
        "]}",
      ],
    ],
  ];
  const [path, body, headers] = random.pick(cases);
  return [post(path, body, headers), call("GET", "/healthz")];
}

function list(item: string, bytes: number): Payload {
  return [{ repeat: `${item},`, times: Math.floor(bytes / (item.length + 1)) - 1 }, item];
}

/** Large tasks, and then questions whose answers would hold all of them at once. */
export function bigPages(random: Random, { number }: CaseTools): Step[] {
  const argument = "b".repeat(65_000);
  const task = `{"kind":"exec","queue":"fq-2","name":"big","input":{"command":["true","${Array.from({ length: 14 }, () => argument).join('","')}"]}}`;
  const batches = Array.from({ length: random.integer(1, 3) }, () =>
    post("/v1/tasks/batch", filled('{"tasks":[', task, "]}", limits.batchBodyBytesMax)),
  );
  return [
    ...batches,
    call("GET", "/v1/tasks?limit=1000&name=big", undefined, { keep: { cursor: "/cursor" } }),
    call("GET", "/v1/tasks?limit=1000&name=big&cursor={{cursor}}"),
    {
      kind: "stream",
      name: "replay",
      path: `/v1/events?after=${number % 2}`,
      headers: [],
      reader: random.pick(["fast", "never"]),
    },
    { kind: "pause", ms: 200 },
  ];
}
