/** What a route is: enough to serve it, to check what comes in, and to describe it in the OpenAPI document. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { id, type Schema } from "../../model/schema.ts";
import type { Streams } from "../events/streams.ts";
import type { TaskWatch } from "../events/taskWatch.ts";
import type { BodyBudget, BodyLimit } from "../http/bodyBudget.ts";
import type { Consistency } from "../http/consistency.ts";
import type { Relay } from "../http/relay.ts";
import type { SchemaName } from "../schemas/components.ts";
import type { Metrics } from "./metrics.ts";

/** What handlers work with. */
export interface Context {
  readonly master: MasterApi;
  readonly streams: Streams;
  readonly metrics: Metrics;
  readonly watch: TaskWatch;
  readonly relay: Relay;
  readonly consistency: Consistency;
  readonly bodyBudget: BodyBudget;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** With parameters as `:id`. */
  readonly path: string;
  /** The operation's name, unique. */
  readonly name: string;
  readonly summary: string;
  readonly tag: "tasks" | "workers" | "queues" | "events" | "master" | "worker protocol";
  /** Parameters of the path; all of them are needed. */
  readonly parameters?: Schemas;
  readonly query?: Schemas;
  /** Names of those in `query` that may not be left out. */
  readonly queryNeeded?: readonly string[];
  readonly headers?: Schemas;
  readonly body?: Body;
  readonly answers: { readonly [status: number]: Answer };
  /** Answered without a token. */
  readonly isPublic?: boolean;
  /** Answers with a stream that stays open. */
  readonly isStream?: boolean;
  /** Only the leader can answer: a standby passes it on. */
  readonly needsLeader?: boolean;
  handle(request: FastifyRequest, reply: FastifyReply, context: Context): unknown;
}

export type Schemas = { readonly [name: string]: Schema };

export interface Body {
  readonly schema: SchemaName;
  /** The name of its bound. */
  readonly limit: BodyLimit;
  /** NDJSON is taken too: one item of `tasks` per line. */
  readonly isNdjson?: boolean;
}

export interface Answer {
  readonly description: string;
  /** Of JSON; left out where the answer is of another type or has no body. */
  readonly schema?: SchemaName;
  /** Media types other than JSON, with the schema of one answer or event. */
  readonly content?: { readonly [type: string]: Schema };
  readonly headers?: Schemas;
}

/** For reads: each master answers them from what it has seen, unless this is asked for. */
export const consistentQuery: Schemas = {
  consistent: {
    type: "boolean",
    default: false,
    description: "See all that was committed before this request, for which the leader commits an empty entry.",
  },
};

export const idParameter = { id: { ...id, description: "Letters, digits and . _ : -" } };

/** The checked parameters of a request's path. */
export function pathId<Id extends string>(request: FastifyRequest): Id {
  return (request.params as { id: Id }).id;
}
