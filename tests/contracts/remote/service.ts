/** A little service with an HTTP API that runs shell lines as jobs, as somebody else's service would. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

interface Job {
  readonly key: string;
  readonly child: ChildProcess;
  log: Buffer;
  isStopped: boolean;
  code: number | null;
}

export class JobService {
  readonly #jobs = new Map<string, Job>();
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(([status, body]) => {
      response.statusCode = status;
      response.end(body);
    });
  });
  #lastNumber = 0;
  address = "";

  async open(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const { child } of this.#jobs.values()) child.kill("SIGKILL");
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage): Promise<readonly [number, string | Buffer]> {
    const [, , id = "", part] = (request.url ?? "").split(/[/?]/);
    const job = this.#jobs.get(id);
    if (request.method === "POST") {
      const { key, line } = JSON.parse(await bodyOf(request)) as { readonly key: string; readonly line: string };
      return [201, JSON.stringify({ job: { id: this.#start(key, line) } })];
    }
    if (id === "") return [200, [...this.#jobs].map(([each, { key }]) => `${key} ${each}\n`).join("")];
    if (job === undefined) return [404, "no such job"];
    if (request.method === "DELETE" && part === "record") return [this.#jobs.delete(id) ? 204 : 404, ""];
    if (request.method === "DELETE") {
      job.isStopped ||= job.code === null;
      job.child.kill("SIGKILL");
      return [202, ""];
    }
    if (part === "log") return [200, job.log];
    return [200, JSON.stringify({ job: { phase: phaseOf(job), code: job.code } })];
  }

  /** One key is one job. */
  #start(key: string, line: string): string {
    for (const [id, job] of this.#jobs) if (job.key === key) return id;
    this.#lastNumber += 1;
    const child = spawn("/bin/sh", ["-c", line], { stdio: ["ignore", "pipe", "ignore"] });
    const job: Job = { key, child, log: Buffer.alloc(0), isStopped: false, code: null };
    child.stdout.on("data", (bytes: Buffer) => {
      job.log = Buffer.concat([job.log, bytes]);
    });
    child.on("close", (code) => {
      job.code = code ?? 137;
    });
    const id = `job/${this.#lastNumber}`.replace("/", "-");
    this.#jobs.set(id, job);
    return id;
  }
}

function phaseOf({ code, isStopped }: Job): string {
  if (code === null) return "RUNNING";
  return isStopped ? "CANCELLED" : "OVER";
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
