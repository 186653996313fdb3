/** The definition of a route: enough to serve it, to validate requests, and to describe it in the OpenAPI document. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { id, limitKeyword, listKeyword, ref, type Schema, taskId, whole } from "../../model/schema.ts";
import { taskStates } from "../../model/task.ts";
import type { Tracing } from "../../ports/tracing.ts";
import type { Guard } from "../auth/guard.ts";
import type { Access } from "../auth/routeAccess.ts";
import type { SignInDelays } from "../auth/signInDelays.ts";
import type { Positions } from "../events/positions.ts";
import type { Streams } from "../events/streams.ts";
import type { TaskWatch } from "../events/taskWatch.ts";
import type { HistoryRecorder } from "../history/historyRecorder.ts";
import type { BodyBudget, BodyLimit } from "../http/bodyBudget.ts";
import type { Consistency } from "../http/consistency.ts";
import type { Relay } from "../http/relay.ts";
import type { Transfers } from "../http/uploads.ts";
import type { SchemaName } from "../schemas/components.ts";
import type { Metrics } from "./metrics.ts";

/** What handlers are given. */
export interface Context {
  /** As the caller may see it. */
  readonly master: MasterApi;
  /** Who the caller is; undefined on routes that are open to everybody. */
  readonly actor: Actor | undefined;
  readonly streams: Streams;
  readonly metrics: Metrics;
  readonly watch: TaskWatch;
  readonly positions: Positions;
  readonly relay: Relay;
  readonly consistency: Consistency;
  readonly bodyBudget: BodyBudget;
  readonly transfers: Transfers;
  readonly history: HistoryRecorder;
  readonly guard: Guard;
  readonly delays: SignInDelays;
  /** Null where nobody collects spans. */
  readonly tracing: Tracing | null;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With parameters as `:id`. */
  readonly path: string;
  /** The operation's name, unique. */
  readonly name: string;
  readonly summary: string;
  readonly tag:
    | "tasks"
    | "templates"
    | "schedules"
    | "webhooks"
    | "blobs"
    | "workers"
    | "queues"
    | "events"
    | "people"
    | "master"
    | "worker protocol";
  /** Parameters of the path; all are required. */
  readonly parameters?: Schemas;
  readonly query?: Schemas;
  /** Names of the required parameters in `query`. */
  readonly queryNeeded?: readonly string[];
  readonly headers?: Schemas;
  readonly body?: Body;
  readonly answers: { readonly [status: number]: Answer };
  readonly access: Access;
  /** True: the answer is a stream that stays open. */
  readonly isStream?: boolean;
  /** True: only the leader can answer; a standby relays the request. `unless-shared`: it does so if it keeps files by itself. */
  readonly needsLeader?: boolean | "unless-shared";
  handle(request: FastifyRequest, reply: FastifyReply, context: Context): unknown;
}

export type Schemas = { readonly [name: string]: Schema };

export type Body = JsonBody | RawBody;

/** Bytes of any type that the handler reads as they arrive. */
export interface RawBody {
  readonly limit: BodyLimit;
  readonly isRaw: true;
}

export interface JsonBody {
  readonly isRaw?: never;
  readonly schema: SchemaName;
  /** The name of its bound. */
  readonly limit: BodyLimit;
  /** True: NDJSON is accepted too, one item of `tasks` per line. */
  readonly isNdjson?: boolean;
}

export interface Answer {
  readonly description: string;
  /** The schema of a JSON answer; absent if the answer has another type or no body. */
  readonly schema?: SchemaName;
  /** Media types other than JSON, with the schema of one answer or event. */
  readonly content?: { readonly [type: string]: Schema };
  readonly headers?: Schemas;
}

/** For reads, which each master otherwise answers from what it has read of the journal. */
/** Parameters of a list that is read page by page. */
export const pageQuery: Schemas = {
  cursor: { type: "string", minLength: 1, maxLength: limits.cursorLengthMax, [limitKeyword]: "cursorLengthMax" },
  limit: whole(1, limits.pageMax, "pageMax", { default: limits.pageDefault }),
};

/** States of tasks, by which a list is filtered. */
export const stateQuery: Schemas = {
  state: {
    type: "string",
    minLength: 1,
    maxLength: limits.nameLengthMax,
    [listKeyword]: ref("TaskState"),
    description: `One or more of ${taskStates.join(", ")}, separated by commas.`,
  },
};

export const consistentQuery: Schemas = {
  consistent: {
    type: "boolean",
    default: false,
    description:
      "The answer includes everything that was committed before this request. The leader commits an empty entry for it.",
  },
};

/** For reads of what only the leader knows in full. */
export const leaderQuery: Schemas = {
  leader: {
    type: "boolean",
    default: false,
    description: "Answer as the leader does, whichever master is asked: it alone knows what runs and waits in full.",
  },
};

export const idParameter = { id: { ...id, description: "Letters, digits and . _ : -" } };

/** The id of any task, those of children included. */
export const taskParameter = { id: { ...taskId, description: "Letters, digits and . _ : -" } };

/** The validated `id` of a request's path. */
export function pathId<Id extends string>(request: FastifyRequest): Id {
  return (request.params as { id: Id }).id;
}

/** The validated `name` of a request's path. */
export function pathName(request: FastifyRequest): string {
  return (request.params as { name: string }).name;
}
