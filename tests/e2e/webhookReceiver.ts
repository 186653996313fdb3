/** A service that webhooks of tests tell: it checks signatures with the library of the specification, and fails when it is told to. */
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

export interface Message {
  readonly id: string;
  readonly type: string;
  readonly task: { readonly id: string; readonly state: string; readonly name: string; readonly attempt: number };
  /** Of an alarm: what it is about. */
  readonly kind?: string;
  readonly fields?: object;
}

export class Receiver {
  readonly messages: Message[] = [];
  readonly refused: string[] = [];
  secret = "";
  /** Null: it never answers. */
  status: number | null = 204;
  requests = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    this.requests += 1;
    if (this.status === null) return;
    if (this.status < 300) this.#take(request.headers, body.toString());
    response.writeHead(this.status).end();
  }

  #take(headers: IncomingHttpHeaders, body: string): void {
    try {
      const { type, data } = new Webhook(this.secret).verify(body, headers as never) as never as {
        type: string;
        data: Pick<Message, "task" | "kind" | "fields">;
      };
      this.messages.push({ ...data, id: String(headers["webhook-id"]), type });
    } catch (error) {
      this.refused.push(String(error));
    }
  }

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
