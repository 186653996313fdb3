/** `fetch` for commands, over `node:http`: the global one loads so much that it doubles the start of a command. */
import type * as Http from "node:http";
import type { IncomingMessage } from "node:http";
import { pipeline, Readable } from "node:stream";
import type { ReadableStream as NodeReadable } from "node:stream/web";
import type { ShowCertificate } from "../ports/transport.ts";
import type { Fetch, FetchAnswer, FetchInit } from "../sdk/fetch.ts";

export function httpFetch(showCertificate?: ShowCertificate): Fetch {
  return async (url, init) => {
    const isSecure = url.startsWith("https:");
    const { request } = builtin(isSecure ? "node:https" : "node:http");
    const options = { ...toOptions(init), ...(isSecure && showCertificate?.()) };
    return new Promise<FetchAnswer>((resolve, reject) => {
      const outgoing = request(url, options, (response) => resolve(new HttpAnswer(response)));
      outgoing.on("error", reject);
      const { body } = init;
      if (body instanceof ReadableStream)
        pipeline(Readable.fromWeb(body as NodeReadable), outgoing, (error) => error && reject(error));
      else outgoing.end(body);
    });
  };
}

/** `import` would read every export, also those that load the global `fetch`. */
function builtin(name: "node:http" | "node:https"): typeof Http {
  return process.getBuiltinModule(name) as typeof Http;
}

function toOptions({ method, headers, signal }: FetchInit) {
  return { method, headers: { ...headers }, ...(signal === undefined ? {} : { signal }) };
}

class HttpAnswer implements FetchAnswer {
  readonly #response: IncomingMessage;

  constructor(response: IncomingMessage) {
    this.#response = response;
    // A reader of the body gets the error from its read. Without a reader, an error does not matter.
    response.on("error", () => {});
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  readonly headers = {
    get: (name: string): string | null => {
      const value = this.#response.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : (value ?? null);
    },
  };

  get body(): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.#response) as ReadableStream<Uint8Array>;
  }

  async text(): Promise<string> {
    return (await this.#bytes()).toString("utf8");
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = await this.#bytes();
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  }

  async #bytes(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.#response as AsyncIterable<Buffer>) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}
