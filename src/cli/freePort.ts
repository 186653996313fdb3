/** Finds a free port. */
import { createServer } from "node:net";
import { limits } from "../model/limits.ts";

/** Above the usual ports of servers, below the ports that systems use for outgoing connections. */
const portMin = 20_000;
const portCount = 10_000;
const triesMax = 1_000;
const portLast = limits.portMax;
/**
 * Processes begin at places of their own, and look at one port after the other: what is found must stay free until whoever asked for it
 * listens there, and two that chose by chance chose the same one at times.
 */
let place = (process.pid * 100 + Math.floor(Math.random() * 100)) % portCount;

/**
 * A port that is free now, and not one that the system uses for outgoing connections: a worker that dials such a port while
 * no master listens can get the same port as its own, and is then connected to itself.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    place = (place + 1) % portCount;
    const port = portMin + place;
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port was found between ${portMin} and ${portMin + portCount - 1}.`);
}

/** Several different free ports. */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort());
  return [...ports];
}

/** The first free ports from a given one on. */
export async function findFreePortsFrom(from: number, count: number, address: string): Promise<number[]> {
  const ports: number[] = [];
  for (let port = from; ports.length < count; port++) {
    if (port > portLast) throw new Error(`From port ${from} on there are not ${count} free ports.`);
    if (await isFree(port, address)) ports.push(port);
  }
  return ports;
}

function isFree(port: number, address = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
