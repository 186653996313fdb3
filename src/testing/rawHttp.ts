/** HTTP as bytes on a socket, for tests of what no client library would send, and readers of event streams. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class RawConnection {
  readonly socket: Socket;
  #received = "";
  #isClosed = false;
  #onChange: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#changed();
    });
    // Being reset is one of the things a test may be about.
    socket.on("error", () => {});
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
        throw new Error(`The connection closed before ${JSON.stringify(text)} came: ${this.#received}`);
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
