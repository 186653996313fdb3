/** The chaos proxy, with real sockets: what each trouble does to what passes, and that it ends when the trouble does. */

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "../../cli/freePort.ts";
import { ChaosProxy } from "./proxy.ts";

let server: Server;
let proxy: ChaosProxy;
let port: number;
const accepted: Socket[] = [];

beforeEach(async () => {
  // Says back what it hears, with the name of its address before it.
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (piece) => socket.write(`at:11111 ${piece.toString()}`));
    socket.on("end", () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const target = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
  port = await findFreePort();
  proxy = new ChaosProxy({ host: "127.0.0.1", port, target, renamed: new Map([["at:11111", "at:22222"]]) });
  await proxy.open();
});
afterEach(async () => {
  await proxy.close();
  for (const socket of accepted.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function open(): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

test("a port that another program has is an error at once, and not a wait for ever", async () => {
  const other = new ChaosProxy({ host: "127.0.0.1", port, target: { host: "127.0.0.1", port: 1 } });
  await expect(other.open()).rejects.toThrow("EADDRINUSE");
  await other.close();
});

/** A connection that has got through to the server. */
async function openThrough(): Promise<Socket> {
  const through = once(server, "connection");
  const socket = await open();
  await through;
  return socket;
}

async function heard(socket: Socket): Promise<string> {
  const [piece] = (await once(socket, "data")) as [Buffer];
  return piece.toString();
}

describe("a link", () => {
  test("passes everything on while it is whole, under its own name, and ends when both sides have", async () => {
    const socket = await open();
    socket.write("a");
    expect(await heard(socket)).toBe("at:22222 a");
    socket.end("b");
    expect(await heard(socket)).toBe("at:22222 b");
    await once(socket, "end");
  });

  test("that is cut resets what is open and refuses what is new, until it is healed", async () => {
    const socket = await open();
    const broken = once(socket, "error") as Promise<[NodeJS.ErrnoException]>;
    socket.write("a");
    await heard(socket);
    const [[error]] = await Promise.all([broken, proxy.set({ kind: "cut" })]);
    expect(error.code).toBe("ECONNRESET");
    await expect(open()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await proxy.set(null);
    const again = await open();
    again.write("b");
    expect(await heard(again)).toBe("at:22222 b");
    again.destroy();
  });

  test("that is mute keeps what the client sends, and delivers it late", async () => {
    const socket = await openThrough();
    await proxy.set({ kind: "mute" });
    socket.write("late");
    const fresh = await open();
    fresh.write("later");
    // What the server sends still arrives.
    const news = heard(socket);
    accepted[0]!.write("news");
    expect(await news).toBe("news");
    const both = Promise.all([heard(socket), heard(fresh)]);
    await proxy.set(null);
    expect(await both).toEqual(["at:22222 late", "at:22222 later"]);
    socket.destroy();
    fresh.destroy();
  });

  test("that is deaf keeps what the server sends", async () => {
    const socket = await openThrough();
    await proxy.set({ kind: "deaf" });
    const arrived = once(accepted[0]!, "data");
    socket.write("a");
    await arrived;
    expect(socket.bytesRead).toBe(0);
    const answer = heard(socket);
    await proxy.set(null);
    expect(await answer).toBe("at:22222 a");
    socket.destroy();
  });

  test("that is slow holds each piece in both directions", async () => {
    const socket = await open();
    await proxy.set({ kind: "slow", ms: 60 });
    const from = performance.now();
    socket.write("a");
    await heard(socket);
    expect(performance.now() - from).toBeGreaterThanOrEqual(115);
    socket.destroy();
  });

  test("that drips lets a few bytes through at a time", async () => {
    const socket = await open();
    await proxy.set({ kind: "drip", bytesPerSecond: 400 });
    let text = "";
    let pieces = 0;
    socket.on("data", (piece) => {
      text += piece.toString();
      pieces += 1;
    });
    // 20 bytes a tick: the 100 bytes take five up, and the answer as many down.
    socket.write("x".repeat(100));
    const whole = Promise.withResolvers<void>();
    socket.on("data", () => {
      if (text.replaceAll("at:22222 ", "").length === 100) whole.resolve();
    });
    await whole.promise;
    expect(pieces).toBeGreaterThanOrEqual(5);
    socket.destroy();
  });

  test("to a server that is not there is reset", async () => {
    await new Promise((resolve) => server.close(resolve));
    const socket = connect({ host: "127.0.0.1", port });
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });
});
