/** HTTP as bytes on a socket, for tests of what no client library would send, and readers of event streams. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class RawConnection {
  readonly socket: Socket;
  #received = "";
  #isClosed = false;
  #failure: NodeJS.ErrnoException | null = null;
  #onChange: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#changed();
    });
    // Being reset is one of the things a test may be about.
    socket.on("error", (error) => {
      this.#failure = error;
    });
    socket.on("close", () => {
      this.#isClosed = true;
      this.#changed();
    });
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: false });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  /** Asks for a path, and has the head of the answer when it resolves. */
  static async get(url: string, path: string, ...headers: readonly string[]): Promise<RawConnection> {
    const connection = await RawConnection.open(url);
    const lines = [`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""];
    connection.send(lines.join("\r\n"));
    await connection.until("\r\n\r\n");
    return connection;
  }

  get received(): string {
    return this.#received;
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Resolves with all that has come once it holds `text`; rejects if the connection closes before. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (this.#isClosed)
        throw new Error(`The connection closed before ${JSON.stringify(text)} came: ${this.#received}`, {
          cause: this.#failure,
        });
      await this.#change();
    }
    return this.#received;
  }

  /** Resolves with all that has come once the connection is closed. */
  async closed(): Promise<string> {
    while (!this.#isClosed) await this.#change();
    return this.#received;
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#onChange.splice(0)) resolve();
  }
}

/** The messages of a stream: chunks of HTTP put together again, and cut where SSE says. */
export function messages(connection: RawConnection): { event?: string; data?: unknown; id?: string }[] {
  const body = connection.received.slice(connection.received.indexOf("\r\n\r\n") + 4);
  const text = body.replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, "");
  return text
    .split("\n\n")
    .filter((message) => /^(event|data|id):/.test(message))
    .map((message) => {
      const fields = Object.fromEntries(
        message.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      );
      const { event, data, id } = fields;
      return { ...(event && { event }), ...(data && { data: JSON.parse(data) as unknown }), ...(id && { id }) };
    });
}
