/** The network of a chaos run: processes in namespaces of their own, and what a pulled plug looks like. Root on Linux only. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Switchboard } from "../../src/proof/chaos/switchboard.ts";

const port = 7000;
const echo = `require("net").createServer((s) => s.pipe(s)).listen(${port}, "0.0.0.0", () => console.log("ready"))`;
/** So many round trips to a neighbour: an answer would have come by then, had there been one. */
const roundTrips = 200;

const probe = Switchboard.open(["probe"]);
probe?.close();

describe.skipIf(probe === null)("a switchboard", () => {
  let board: Switchboard;
  let servers: ChildProcess[];
  let client: Socket;
  let neighbour: Socket;

  beforeEach(async () => {
    board = Switchboard.open(["worker-1", "worker-2"]) as Switchboard;
    servers = [serve("worker-1"), serve("worker-2")];
    for (const { stdout } of servers) await once(stdout as NodeJS.ReadableStream, "data");
    client = await reach("worker-1");
    neighbour = await reach("worker-2");
  });

  afterEach(async () => {
    client.destroy();
    neighbour.destroy();
    for (const server of servers) {
      server.kill("SIGKILL");
      await once(server, "exit");
    }
    board.close();
  });

  function serve(name: string): ChildProcess {
    const [command, ...rest] = [...board.launcherOf(name), process.execPath, "-e", echo];
    return spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  }

  async function reach(name: string): Promise<Socket> {
    const socket = connect({ host: board.addressOf(name), port });
    socket.setEncoding("utf8");
    await once(socket, "connect");
    return socket;
  }

  test("starts the command itself, in its namespace: its signals are for nobody else", () => {
    const pid = servers[0]?.pid;
    const own = execFileSync("readlink", [`/proc/${pid}/ns/net`]).toString();
    expect(own).not.toBe(execFileSync("readlink", ["/proc/self/ns/net"]).toString());
    expect(execFileSync("readlink", [`/proc/${pid}/exe`]).toString()).toMatch(/node\n$/);
  });

  test("carries what is said, and with the plug pulled nothing, without a word about it", async () => {
    client.write("one");
    expect(await once(client, "data")).toEqual(["one"]);

    board.pull("worker-1");
    const heard: string[] = [];
    client.on("data", (text: string) => heard.push(text)).on("close", () => heard.push("closed"));
    client.write("two");
    for (let count = 0; count < roundTrips; count++) {
      neighbour.write("still here");
      await once(neighbour, "data");
    }
    expect(heard).toEqual([]);

    const late = once(client, "data");
    board.plugIn("worker-1");
    expect(await late).toEqual(["two"]);
  });

  test("gives every process an address of the same length, the run's own among them", () => {
    const addresses = [board.host, board.addressOf("worker-1"), board.addressOf("worker-2")];
    expect(new Set(addresses).size).toBe(3);
    expect(new Set(addresses.map((address) => address.length)).size).toBe(1);
    expect(() => board.addressOf("worker-3")).toThrow("worker-3 has no plug.");
  });

  test("leaves nothing behind, and clears away what a killed run has left", () => {
    const { pid } = spawnSync("true");
    execFileSync("ip", ["netns", "add", `outlast-${pid}-1`]);
    Switchboard.open([])?.close();
    expect(existsSync(`/run/netns/outlast-${pid}-1`)).toBe(false);
  });
});
