/** Calls of services that answer with what is no answer. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import type { Assignment, AttemptEnd } from "../../model/protocol.ts";
import { SystemClock } from "../../node/clock.ts";
import type { AttemptSession } from "../../ports/work.ts";
import { httpRunner } from "./http.ts";
import type { Machine } from "./kindRunner.ts";

test("a service that changes to another protocol has failed an attempt, which does not wait for ever", async () => {
  const service = createServer((connection) => {
    connection.once("data", () => {
      connection.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    });
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  try {
    const input = { url: `http://127.0.0.1:${(service.address() as AddressInfo).port}/` };
    const assignment = { task: "call", attempt: 1, assignedAt: 0, kind: "http", input, timeoutMs: null };
    const machine = { clock: new SystemClock(), allowsPrivateHttp: true, onOutput: () => undefined };
    const end = await new Promise<AttemptEnd>((resolve) => {
      httpRunner.start(
        assignment as unknown as Assignment,
        machine as unknown as Machine,
        resolve,
        {} as AttemptSession,
      );
    });
    expect(end).toMatchObject({ outcome: "failed", error: { code: "http" } });
  } finally {
    service.close();
  }
});
