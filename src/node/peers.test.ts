/** Watching another master: over real sockets, to something that answers like one. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createPeers } from "./peers.ts";

let server: Server;
let address: string;
const answers: ServerResponse[] = [];
const paths: (string | undefined)[] = [];

beforeEach(async () => {
  server = createServer((request, response) => {
    paths.push(request.url);
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
});

async function watching() {
  const onClose = vi.fn();
  const watch = createPeers().watch(address, onClose);
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  return { onClose, watch };
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

  test("tells that it was refused", async () => {
    await new Promise((resolve) => server.close(resolve));
    const onClose = vi.fn();
    createPeers().watch(address, onClose);
    await vi.waitFor(() => expect(onClose).toHaveBeenCalledOnce());
    expect(await createPeers().probe(address)).toBe("refused");
  });

  test("that is given up closes its connection and tells nothing", async () => {
    const { onClose, watch } = await watching();
    const closed = new Promise((resolve) => answers[0]!.once("close", resolve));
    watch.close();
    await closed;
    expect(onClose).not.toHaveBeenCalled();
    expect(await createPeers().probe(address)).toBe("connected");
  });
});
