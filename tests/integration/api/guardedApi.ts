/** A real master on a memory store with an HTTP API, and callers with users' and tokens' credentials. */

import { type ApiServer, createApi } from "../../../src/api/http/server.ts";
import { Master } from "../../../src/master/master.ts";
import type { NewToken } from "../../../src/model/principals/changes.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { SystemIds } from "../../../src/node/ids.ts";
import { MemoryStore } from "../../../src/stores/memory/store.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
export const rootToken = "the-root-token-of-the-tests";
export const password = "correct horse battery";

export interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly headers: Headers;
}

export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

export class GuardedApi {
  readonly master: Master;
  readonly api: ApiServer;
  url = "";

  constructor(token: string | null, isBehindProxy = false) {
    const ids = new SystemIds();
    this.master = new Master({
      name: "m1",
      address: "http://127.0.0.1:0",
      store: new MemoryStore({ ids }),
      clock: new SystemClock(),
      ids,
      log: silent,
      probe: async () => "unknown",
      peers: { watch: () => ({ close: () => {} }), probe: async () => "unknown" },
    });
    this.api = createApi({ master: this.master.service, log: silent, token, isBehindProxy });
  }

  async start(): Promise<void> {
    this.url = await this.api.listen({ address: "127.0.0.1", port: 0 });
    await this.master.start(this.url);
    const isReady = async (): Promise<boolean> => (await fetch(`${this.url}/readyz`)).status === 200;
    while (!(await isReady())) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    await this.api.close();
    await this.master.stop();
  }

  /** A caller that sends these headers with every request. */
  as(always: Record<string, string>): Call {
    return async (method, path, body, headers = {}) => {
      const isForm = body instanceof FormData;
      const isJsonBody = body !== undefined && !isForm;
      const response = await fetch(this.url + path, {
        method,
        headers: { ...(isJsonBody && { "content-type": "application/json" }), ...always, ...headers },
        ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
      return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
    };
  }

  get root(): Call {
    return this.as({ authorization: `Bearer ${rootToken}` });
  }

  async token(token: NewToken): Promise<Call> {
    const { body } = await this.root("POST", "/v1/tokens", token);
    return this.as({ authorization: `Bearer ${body.token}` });
  }

  /** What a browser has after a sign-in. */
  async signIn(name: string): Promise<{ readonly cookie: string; readonly csrf: string; readonly call: Call }> {
    const answer = await this.as({})("POST", "/v1/session", { name, password });
    if (answer.status !== 200) throw new Error(`The sign-in was answered ${JSON.stringify(answer.body)}.`);
    const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
    const csrf: string = answer.body.csrf;
    return { cookie, csrf, call: this.as({ cookie, origin: this.url, "x-outlast-csrf": csrf }) };
  }
}
