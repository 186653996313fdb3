/** Finds a port to listen on for those who do not care which. */
import { createServer } from "node:net";

/** Above the ports that servers are usually given, below those that systems hand out for outgoing connections. */
const portMin = 20_000;
const portCount = 10_000;
const triesMax = 50;
const portLast = 65_535;

/**
 * A port that is free at this moment. Never one that the system hands out for outgoing connections: while no master
 * listens, a worker that dials such a port again and again can be given that very port, and is then connected to itself.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const port = portMin + Math.floor(Math.random() * portCount);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port was found between ${portMin} and ${portMin + portCount - 1}.`);
}

/** As many different ones. */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort());
  return [...ports];
}

/** The first free ones from a given port on, for those who want them easy to guess. */
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
