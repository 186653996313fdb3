/** Finds a port to listen on for those who do not care which. */
import { createServer } from "node:net";

/** Above the ports that servers are usually given, below those that systems hand out for outgoing connections. */
const portMin = 20_000;
const portCount = 10_000;
const triesMax = 50;

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

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
