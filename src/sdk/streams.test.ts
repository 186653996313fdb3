/** Tests of streams that are cut: events, logs and waits go on where they were, without a gap and without a repetition. */
import { afterEach, describe, expect, test } from "vitest";
import { type Answer, FakeMasters, type FakeResponse, type SeenRequest } from "../proof/fakes/fakeMaster.ts";
import { createClient } from "./client.ts";
import type { OutlastEvent } from "./events.ts";

const fakes = new FakeMasters();
const fake = (answer: Answer) => fakes.start(answer);
afterEach(() => fakes.stop());

function taskEvent(seq: number, id: string, state = "running", isLast = true): string {
  const data = JSON.stringify({ seq, at: 1, id, state, attempt: 1, failures: 0, kills: 0, changedAt: 1 });
  return `event: task\ndata: ${data}\n${isLast ? `id: ${seq}\n` : ""}\n`;
}

/** A master at entry 7 that streams what `onEvents` says. */
function streaming(onEvents: (request: SeenRequest, response: FakeResponse) => void, more: Answer = () => {}): Answer {
  return (request, response) => {
    if (request.path === "/v1/status") response.json(200, { seq: 7 });
    else if (request.path === "/v1/events") onEvents(request, response);
    else more(request, response);
  };
}

async function take(events: AsyncIterable<OutlastEvent>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for await (const event of events) {
    taken.push(event.kind === "task" ? `${event.seq} ${event.task.id}` : event.kind);
    if (taken.length === count) break;
  }
  return taken;
}

describe("events", () => {
  test("are resumed behind the last whole entry; what was told of the next one is not told again", async () => {
    const master = await fake(
      streaming((_request, response) => {
        const stream = response.stream();
        if (master.to("/v1/events").length === 1) {
          stream.send(taskEvent(8, "a") + taskEvent(9, "b", "running", false) + taskEvent(9, "c", "running", false));
          // An end, not a cut: of a connection that is reset, the client may drop what it has not read.
          stream.send('event: task\ndata: {"half":');
          stream.end();
        } else {
          stream.send(
            taskEvent(9, "b", "running", false) +
              taskEvent(9, "c", "running", false) +
              taskEvent(9, "d") +
              taskEvent(10, "e"),
          );
        }
      }),
    );
    expect(await take(createClient({ masters: master.url }).events(), 5)).toEqual(["8 a", "9 b", "9 c", "9 d", "10 e"]);
    expect(master.to("/v1/events").map((request) => request.query.get("after"))).toEqual(["7", "8"]);
  });

  test("are resumed behind an entry that told nothing", async () => {
    const master = await fake(
      streaming((_request, response) => {
        const stream = response.stream();
        if (master.to("/v1/events").length === 1) {
          stream.send("id: 12\n\n");
          stream.end();
        } else stream.send(taskEvent(13, "a"));
      }),
    );
    expect(await take(createClient({ masters: master.url }).events({ after: 3 }), 1)).toEqual(["13 a"]);
    expect(master.to("/v1/events").map((request) => request.query.get("after"))).toEqual(["3", "12"]);
  });

  test("tell of a reset also where they were cut in the middle of an entry", async () => {
    const master = await fake(
      streaming((_request, response) => {
        const stream = response.stream();
        if (master.to("/v1/events").length === 1) {
          stream.send(taskEvent(8, "a", "running", false) + taskEvent(8, "b", "running", false));
          stream.end();
        } else {
          stream.send(`event: reset\ndata: {"seq":40,"reason":"compacted"}\nid: 40\n\n`);
          stream.send(taskEvent(41, "c"));
        }
      }),
    );
    expect(await take(createClient({ masters: master.url }).events(), 4)).toEqual(["8 a", "8 b", "reset", "41 c"]);
  });

  test("tell of a reset, and of nothing they do not know", async () => {
    const master = await fake(
      streaming((_request, response) => {
        const stream = response.stream();
        stream.send(`event: reset\ndata: {"seq":40,"reason":"compacted"}\nid: 40\n\n`);
        stream.send("event: novelty\ndata: {}\n\n");
        stream.send(`event: task\ndata: {"seq":41,"at":1,"id":"a","isForgotten":true}\nid: 41\n\n`);
      }),
    );
    expect(await take(createClient({ masters: master.url }).events({ after: 3 }), 2)).toEqual(["reset", "forgotten"]);
  });
});

describe("positions", () => {
  test("are those of the master now and after commits, and those of events where a master knows no positions", async () => {
    for (const isKnown of [true, false]) {
      const master = await fake(
        streaming(({ query }, response) => {
          if (!isKnown && query.has("positions")) response.json(400, { error: { code: "bad-request", message: "?" } });
          else response.stream().send(isKnown ? "event: position\ndata: {}\nid: 9\n\n" : taskEvent(9, "a"));
        }),
      );
      const seen: number[] = [];
      for await (const seq of createClient({ masters: master.url }).positions()) {
        seen.push(seq);
        if (seq === 9) break;
      }
      expect(seen).toEqual(isKnown ? [7, 9] : [9]);
    }
  });
});

describe("wait", () => {
  const task = (state: string) => ({ id: "a", state, attempt: 1 });

  test("answers at once for a task that has ended", async () => {
    const master = await fake(
      streaming(
        (_request, response) => void response.stream(),
        (_request, response) => response.json(200, task("failed")),
      ),
    );
    expect((await createClient({ masters: master.url }).wait("a")).state).toBe("failed");
  });

  test("ends with the event, also over a cut", async () => {
    let state = "running";
    const master = await fake(
      streaming(
        (_request, response) => {
          const stream = response.stream();
          if (master.to("/v1/events").length === 1) {
            stream.send(taskEvent(8, "other", "success"));
            stream.cut();
          } else {
            state = "success";
            stream.send(taskEvent(9, "a", "success"));
          }
        },
        (_request, response) => response.json(200, task(state)),
      ),
    );
    expect((await createClient({ masters: master.url }).wait("a")).state).toBe("success");
  });

  test("asks for the ends of its own tasks only, and resumes behind the last position it was told", async () => {
    const master = await fake(
      streaming(
        (_request, response) => {
          const stream = response.stream();
          if (master.to("/v1/events").length === 1) {
            stream.send("id: 40\n\n");
            stream.end();
          } else stream.send(taskEvent(41, "a", "success"));
        },
        (_request, response) => response.json(200, task(master.to("/v1/events").length > 1 ? "success" : "running")),
      ),
    );
    expect((await createClient({ masters: master.url }).wait("a")).state).toBe("success");
    const requests = master.to("/v1/events");
    expect(requests.map(({ method, query }) => [method, query.get("after")])).toEqual([
      ["POST", "7"],
      ["POST", "40"],
    ]);
    expect(JSON.parse(requests[0]!.body)).toEqual({
      tasks: ["a"],
      states: ["success", "failed", "cancelled", "skipped"],
    });
  });

  test("goes on while nobody can say how the task has ended, for longer than other calls try", async () => {
    let reads = 0;
    const master = await fake(
      streaming(
        (_request, response) => response.stream().send(taskEvent(8, "a", "success")),
        (_request, response) => {
          reads += 1;
          if (reads === 1) response.json(200, task("running"));
          else if (reads < 5) response.json(503, { error: { code: "unavailable", message: "The store is away." } });
          else response.json(200, task("success"));
        },
      ),
    );
    const client = createClient({ masters: master.url, retryForMs: 60 });
    expect((await client.wait("a")).state).toBe("success");
  });

  test("follows all events of a master that knows no filters", async () => {
    const master = await fake(
      streaming(
        ({ method }, response) => {
          if (method === "POST") response.json(405, { error: { code: "method-not-allowed", message: "POST" } });
          else response.stream().send(taskEvent(8, "other", "success") + taskEvent(9, "a", "success"));
        },
        (_request, response) => response.json(200, task(master.to("/v1/events").length > 1 ? "success" : "running")),
      ),
    );
    expect((await createClient({ masters: master.url }).wait("a")).state).toBe("success");
    expect(master.to("/v1/events").map(({ method }) => method)).toEqual(["POST", "GET"]);
  });

  test("looks again after a reset", async () => {
    let state = "running";
    const master = await fake(
      streaming(
        (_request, response) => {
          const stream = response.stream();
          if (master.to("/v1/events").length === 1) stream.end();
          else {
            state = "success";
            stream.send(`event: reset\ndata: {"seq":40,"reason":"compacted"}\nid: 40\n\n`);
          }
        },
        (_request, response) => response.json(200, task(state)),
      ),
    );
    expect((await createClient({ masters: master.url }).wait("a")).state).toBe("success");
  });

  test("looks now and then where there is no stream to be had", async () => {
    let looks = 0;
    const master = await fake(
      streaming(
        (_request, response) => response.text(200, "buffered by a proxy"),
        (_request, response) => response.json(200, task(++looks < 2 ? "running" : "success")),
      ),
    );
    expect((await createClient({ masters: master.url }).wait("a")).state).toBe("success");
  });

  test("fails for a task that is not there", async () => {
    const master = await fake(
      streaming(
        (_request, response) => void response.stream(),
        (_request, response) => response.json(404, { error: { code: "not-found", message: "There is no task a." } }),
      ),
    );
    await expect(createClient({ masters: master.url }).wait("a")).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("logs", () => {
  const logEvent = (attempt: number, offset: number, text: string) =>
    `event: log\ndata: ${JSON.stringify({ attempt, offset, text })}\nid: ${attempt}:${offset + text.length}\n\n`;

  test("are followed over a cut and into the next attempt", async () => {
    const master = await fake((_request, response) => {
      const stream = response.stream();
      if (master.requests.length === 1) {
        stream.send(logEvent(1, 0, "one\n"));
        stream.end();
      } else {
        stream.send(logEvent(1, 4, "two\n"));
        stream.send(`event: attempt\ndata: {"attempt":2}\n\n`);
        stream.send(`event: log\ndata: ${JSON.stringify({ attempt: 2, offset: 0, base64: "/wA=" })}\n\n`);
        stream.send(`event: end\ndata: {"state":"success","attempt":2,"offset":2}\n\n`);
        stream.end();
      }
    });
    const seen: unknown[] = [];
    for await (const item of createClient({ masters: master.url }).follow("a")) {
      seen.push(item.kind === "log" ? [item.attempt, item.offset, [...item.bytes]] : item);
    }
    expect(seen).toEqual([
      [1, 0, [...Buffer.from("one\n")]],
      [1, 4, [...Buffer.from("two\n")]],
      { kind: "attempt", attempt: 2 },
      [2, 0, [0xff, 0x00]],
    ]);
    expect(master.requests.map(({ query }) => [query.get("attempt"), query.get("offset")])).toEqual([
      [null, "0"],
      ["1", "4"],
    ]);
  });

  test("are read page by page, all from the same attempt", async () => {
    const text = "0123456789";
    const master = await fake((request, response) => {
      const offset = Number(request.query.get("offset"));
      const next = Math.min(text.length, offset + 4);
      response.text(200, text.slice(offset, next), {
        "x-outlast-attempt": "3",
        "x-outlast-next-offset": String(next),
        "x-outlast-truncated": String(next === text.length && offset < next),
      });
    });
    let read = "";
    const kinds: string[] = [];
    for await (const item of createClient({ masters: master.url }).logs("a")) {
      kinds.push(item.kind);
      if (item.kind === "log") read += Buffer.from(item.bytes).toString();
    }
    expect(read).toBe(text);
    expect(kinds).toEqual(["log", "log", "log", "truncated"]);
    expect(master.requests.map(({ query }) => query.get("attempt"))).toEqual([null, "3", "3", "3"]);
  });
});
