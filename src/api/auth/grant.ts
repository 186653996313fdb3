/** What a request's credentials are worth. */
import type { FastifyRequest } from "fastify";
import type { Principal } from "../../model/principals/principal.ts";

export interface Grant {
  readonly principal: Principal;
  /** The record behind it; null for the root token, and where nobody needs a credential. */
  readonly credential: Credential | null;
  /** The secret of the session, for a request that was signed in with a password. */
  readonly sessionSecret: string | null;
  /** Where the request came from; empty if the caller has disconnected. */
  readonly address: string;
}

export interface Credential {
  readonly kind: "session" | "token";
  readonly id: string;
  /** Of the user behind a session: when he was changed last. Whoever is changed starts anew. */
  readonly userChangedAt?: number;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Null for routes that are open to everybody. */
    grant: Grant | null;
  }
}

/** @throws a bug where a route is open to everybody */
export function grantOf(request: FastifyRequest): Grant {
  if (request.grant === null) throw new Error("This route knows no principal.");
  return request.grant;
}
