/** The part of the client that is about users, tokens and sessions: `client.people`. */
import { OutlastError } from "../model/errors.ts";
import { limits } from "../model/limits.ts";
import type { AuditRecord } from "../model/principals/audit.ts";
import type { NewToken, NewUser, UserChange } from "../model/principals/changes.ts";
import type { Permission, Principal } from "../model/principals/principal.ts";
import type { TokenView, UserView } from "../model/principals/records.ts";
import type { CallOptions } from "./callOptions.ts";
import type { Call, Connection } from "./connection.ts";

export interface SessionInfo {
  readonly principal: Principal;
  readonly may: readonly Permission[];
  /** True where nobody needs a credential. */
  readonly isOpen: boolean;
  readonly expiresAt?: number;
}

export interface AuditOptions extends CallOptions {
  readonly by?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: AuditRecord["outcome"];
  /** Ms since 1970. */
  readonly after?: number;
  readonly before?: number;
}

interface AuditPage {
  readonly records: readonly AuditRecord[];
  readonly cursor: string | null;
}

export class People {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Who this client is to the masters. */
  session({ signal }: CallOptions = {}): Promise<SessionInfo> {
    return this.#connection.json<SessionInfo>({ method: "GET", path: "/v1/session", signal });
  }

  /** The token of a new session. */
  signIn(name: string, password: string, { signal }: CallOptions = {}): Promise<SessionInfo & { token: string }> {
    const body = JSON.stringify({ name, password, asBearer: true });
    return this.#connection.json({ method: "POST", path: "/v1/session", body, signal });
  }

  async signOut({ signal }: CallOptions = {}): Promise<void> {
    const call = { method: "DELETE", path: "/v1/session", signal } as const;
    await this.#connection.change(call, ({ code }) => code === "unauthorized");
  }

  async users({ signal }: CallOptions = {}): Promise<readonly UserView[]> {
    const path = "/v1/users";
    return (await this.#connection.json<{ users: readonly UserView[] }>({ method: "GET", path, signal })).users;
  }

  addUser(user: NewUser, { signal }: CallOptions = {}): Promise<UserView> {
    const body = JSON.stringify(user);
    return this.#add<UserView>(
      { method: "POST", path: "/v1/users", body, signal },
      "The user may be the one of this call.",
    );
  }

  async changeUser(name: string, change: UserChange, { signal }: CallOptions = {}): Promise<void> {
    const path = `/v1/users/${encodeURIComponent(name)}`;
    await this.#connection.json({ method: "PUT", path, body: JSON.stringify(change), signal });
  }

  async removeUser(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.remove(`/v1/users/${encodeURIComponent(name)}`, signal);
  }

  async tokens({ signal }: CallOptions = {}): Promise<readonly TokenView[]> {
    const path = "/v1/tokens";
    return (await this.#connection.json<{ tokens: readonly TokenView[] }>({ method: "GET", path, signal })).tokens;
  }

  /** `token` is the secret; nobody can read it again. */
  addToken(token: NewToken, { signal }: CallOptions = {}): Promise<TokenView & { readonly token: string }> {
    const body = JSON.stringify(token);
    const hint = "If the token is the one of this call, nobody has its secret: remove it, and make it again.";
    return this.#add({ method: "POST", path: "/v1/tokens", body, signal }, hint);
  }

  async removeToken(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.remove(`/v1/tokens/${encodeURIComponent(name)}`, signal);
  }

  /** What is there already may have been made by an earlier try of the same call: the error says so. */
  async #add<Body>(call: Call, hint: string): Promise<Body> {
    let isUncertain = false;
    const onFailedTry = () => {
      isUncertain = true;
    };
    try {
      return await this.#connection.json<Body>({ ...call, onFailedTry });
    } catch (error) {
      if (!isUncertain || !(error instanceof OutlastError) || error.code !== "conflict") throw error;
      const details = { ...error.details, hint: `A try of this call got no answer, and may have worked. ${hint}` };
      throw new OutlastError(error.code, error.message, details);
    }
  }

  /** The audit record, the newest first. */
  async *audit({ signal, ...filters }: AuditOptions = {}): AsyncGenerator<AuditRecord, void, undefined> {
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ limit: String(limits.pageDefault) });
      for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, String(value));
      if (cursor !== null) query.set("cursor", cursor);
      const path = `/v1/audit?${query.toString()}`;
      const page: AuditPage = await this.#connection.json<AuditPage>({ method: "GET", path, signal });
      yield* page.records;
      ({ cursor } = page);
    } while (cursor !== null);
  }
}
