/** A proxy in front of an S3 server: passes requests on, refuses them, loses answers, cuts them off. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";

/** What a request is, for a test to decide by. */
export interface Seen {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

export type Treatment =
  | "pass"
  /** Passed on and done; the connection breaks instead of an answer. */
  | "lose-answer"
  /** The answer breaks off after so many bytes of its body. */
  | { readonly cutAfter: number }
  /** Passed on once this is done. */
  | { readonly after: () => Promise<void> }
  /** Answered without asking the server. */
  | { readonly status: number; readonly body?: string };

export class Proxy {
  readonly seen: Seen[] = [];
  /** Called for each request. */
  treat: (seen: Seen) => Treatment = () => "pass";
  readonly #server: Server;
  readonly #target: number;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((from, to) => this.#handle(from, to));
  }

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #handle(from: IncomingMessage, to: ServerResponse): void {
    this.#answer(from, to).catch(() => to.destroy());
  }

  async #answer(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = from;
    const seen = { method, path, headers };
    this.seen.push(seen);
    const treatment = this.treat(seen);
    if (typeof treatment === "object" && "status" in treatment) {
      from.resume().once("end", () => to.writeHead(treatment.status).end(treatment.body ?? ""));
      return;
    }
    if (typeof treatment === "object" && "after" in treatment) await treatment.after();
    // The host is signed, so it stays as it is.
    const onwards = request({ host: "127.0.0.1", port: this.#target, method, path, headers }, (answer) => {
      if (treatment === "lose-answer") {
        answer.resume().once("end", () => to.destroy());
        return;
      }
      to.writeHead(answer.statusCode ?? 500, answer.headers);
      if (treatment === "pass" || "after" in treatment) {
        answer.pipe(to);
        return;
      }
      let left = treatment.cutAfter;
      answer.on("data", (piece: Buffer) => {
        const part = piece.subarray(0, left);
        left -= part.length;
        if (left > 0) to.write(part);
        else to.write(part, () => to.destroy());
      });
    });
    onwards.on("error", () => to.destroy());
    from.pipe(onwards);
  }
}

/** An error as S3 tells it. */
export function s3Error(status: number, code: string): Treatment {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>said so</Message></Error>` };
}
