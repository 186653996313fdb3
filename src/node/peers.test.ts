/** Watching another master: over real sockets, to something that answers like one. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createPeers } from "./peers.ts";

let server: Server;
let address: string;
const answers: ServerResponse[] = [];
const paths: (string | undefined)[] = [];
const tokens: (string | undefined)[] = [];

beforeEach(async () => {
  server = createServer((request, response) => {
    paths.push(request.url);
    tokens.push(request.headers.authorization);
    answers.push(response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  answers.length = 0;
  paths.length = 0;
  tokens.length = 0;
});

async function watching(token: string | null = null) {
  const onClose = vi.fn();
  const onBeat = vi.fn();
  const watch = createPeers(token).watch(address, { onBeat, onClose });
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  return { onClose, onBeat, watch };
}

describe("a watch", () => {
  test("asks for the lifeline, and tells once that it was closed", async () => {
    const { onClose } = await watching();
    expect(paths).toEqual(["/healthz/lifeline"]);
    answers[0]!.write(":\n\n");
    expect(onClose).not.toHaveBeenCalled();
    answers[0]!.socket!.resetAndDestroy();
    await vi.waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  });

  test("hands on what a leader tells, and nothing else", async () => {
    const { onBeat, onClose } = await watching("a-secret");
    expect(tokens).toEqual(["Bearer a-secret"]);
    const beat = { epoch: 2, nonce: "other", beat: 3, ttlMs: 2000, isResigned: false, seq: 7 };
    const { seq: _seq, ...partial } = beat;
    const wrong = [null, partial, { ...beat, epoch: -1 }, { ...beat, nonce: 5 }, { ...beat, isResigned: 0 }];
    for (const data of ["no JSON", ...wrong.map((value) => JSON.stringify(value))])
      answers[0]!.write(`event: leader\ndata: ${data}\n\n`);
    answers[0]!.write(`event: leader\ndata: ${JSON.stringify(beat)}\n\n`);
    await vi.waitFor(() => expect(onBeat).toHaveBeenCalled());
    expect(onBeat.mock.calls).toEqual([[beat]]);
    answers[0]!.end();
    await vi.waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  });

  test("tells that it was refused", async () => {
    await new Promise((resolve) => server.close(resolve));
    const onClose = vi.fn();
    createPeers(null).watch(address, { onBeat: vi.fn(), onClose });
    await vi.waitFor(() => expect(onClose).toHaveBeenCalledOnce());
    expect(await createPeers(null).probe(address)).toBe("refused");
  });

  test("that is given up closes its connection and tells nothing", async () => {
    const { onClose, watch } = await watching();
    const closed = new Promise((resolve) => answers[0]!.once("close", resolve));
    watch.close();
    await closed;
    expect(onClose).not.toHaveBeenCalled();
    expect(await createPeers(null).probe(address)).toBe("connected");
  });
});
