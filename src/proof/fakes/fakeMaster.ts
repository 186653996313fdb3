/** A web server that answers as a test tells it to: a master with whatever faults are wanted. */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Answer = (request: SeenRequest, response: FakeResponse) => void;

/** What a fake master can do with a request, the faults included. */
export interface FakeResponse {
  json(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void;
  text(status: number, body: string, headers?: Readonly<Record<string, string>>): void;
  /** Sends the head of an event stream; `send` then writes to it as it stands. */
  stream(): { send(text: string): void; end(): void; cut(): void };
  /** Sends the head of a file of so many bytes; `send` then writes some of them. */
  file(status: number, size: number): { send(text: string): void; end(): void; cut(): void };
  /** Drops the connection without an answer. */
  cut(): void;
}

export class FakeMaster {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(answer: Answer): Promise<FakeMaster> {
    const server = createServer();
    const master = new FakeMaster(server);
    server.on("request", (request, response) => {
      void read(request).then((seen) => {
        master.requests.push(seen);
        answer(seen, toFakeResponse(response));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return master;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests to one path, oldest first. */
  to(path: string): readonly SeenRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The fake masters of one test file; whoever has them stops them after each test. */
export class FakeMasters {
  readonly all: FakeMaster[] = [];

  async start(answer: Answer): Promise<FakeMaster> {
    const master = await FakeMaster.start(answer);
    this.all.push(master);
    return master;
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.splice(0).map((master) => master.stop()));
  }
}

async function read(request: IncomingMessage): Promise<SeenRequest> {
  let body = "";
  request.setEncoding("utf8");
  for await (const piece of request) body += String(piece);
  const url = new URL(request.url ?? "/", "http://fake");
  return { method: request.method ?? "", path: url.pathname, query: url.searchParams, headers: request.headers, body };
}

function toFakeResponse(response: ServerResponse): FakeResponse {
  const text: FakeResponse["text"] = (status, body, headers = {}) => {
    response.writeHead(status, { "content-type": "text/plain", ...headers });
    response.end(body);
  };
  const begin = (status: number, headers: OutgoingHttpHeaders) => {
    response.writeHead(status, headers);
    response.flushHeaders();
    return {
      send: (piece: string) => void response.write(piece),
      end: () => void response.end(),
      cut: () => void response.destroy(),
    };
  };
  return {
    text,
    json: (status, body, headers = {}) =>
      text(status, JSON.stringify(body), { "content-type": "application/json", ...headers }),
    stream: () => begin(200, { "content-type": "text/event-stream" }),
    file: (status, size) => ({
      ...begin(status, { "content-type": "application/octet-stream", "content-length": size }),
      // Of a connection that is reset, the client may drop what it has not read.
      cut: () => void response.socket?.end(),
    }),
    cut: () => void response.destroy(),
  };
}
