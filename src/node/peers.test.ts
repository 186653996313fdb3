/** Watching another master: over real sockets, to something that answers like one. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type PeerKey, peerHeader } from "../ports/peers.ts";
import { createPeers } from "./peers.ts";

/** As good as a secret here: signs so that a reader of the test sees who has signed what. */
const key: PeerKey = {
  sign: (claim) => `ours: ${claim}`,
  verifies: (claim, signature) => signature === `ours: ${claim}`,
};

let server: Server;
let address: string;
const answers: ServerResponse[] = [];
const paths: (string | undefined)[] = [];
const headers: IncomingHttpHeaders[] = [];

beforeEach(async () => {
  server = createServer((request, response) => {
    paths.push(request.url);
    headers.push(request.headers);
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
  headers.length = 0;
});

async function watching(key: PeerKey | null = null) {
  const onClose = vi.fn();
  const onBeat = vi.fn();
  const watch = createPeers(key).watch(address, { onBeat, onClose });
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
    const { onBeat, onClose } = await watching();
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

  test("shows that it has the masters' token without sending it, and believes only who shows the same", async () => {
    const { onBeat } = await watching(key);
    expect(headers).toMatchObject([{ [peerHeader]: `ours: watch ${address}` }]);
    expect(headers[0]).not.toHaveProperty("authorization");
    const beat = { epoch: 2, nonce: "other", beat: 3, ttlMs: 2000, isResigned: false, seq: 7 };
    const signature = "ours: beat 2 other 3 false 2000 7";
    for (const told of [beat, { ...beat, signature: 1 }, { ...beat, beat: 9, signature }, { ...beat, signature }])
      answers[0]!.write(`event: leader\ndata: ${JSON.stringify(told)}\n\n`);
    await vi.waitFor(() => expect(onBeat).toHaveBeenCalled());
    expect(onBeat.mock.calls).toEqual([[beat]]);
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
