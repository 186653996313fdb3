/** How operators describe a service to workers, in a file: what starts, watches and stops its jobs. */
import type { Json, JsonObject } from "../../model/json.ts";
import { invalid, isObject, quote } from "../../model/kinds/kind.ts";
import { remoteNamePattern } from "../../model/kinds/remote.ts";
import { limits } from "../../model/limits.ts";
import { closed, limitKeyword, list, oneOf, type Schema, text, truth, whole } from "../../model/schema.ts";
import { checkSchema } from "../../model/schemaCheck.ts";
import { unknownPlaceholders } from "./placeholders.ts";

export interface RemoteService {
  /** What tasks call it. */
  readonly name: string;
  readonly pollMs?: number;
  /** Time limit of one call. */
  readonly timeoutMs?: number;
  readonly start: Call & { readonly handle?: string };
  readonly status: StatusCall;
  readonly stop: Call;
  readonly logs?: Call & { readonly isWhole?: boolean };
  readonly list?: Call;
  readonly forget?: Call;
}

/** Either of them. */
export interface Call {
  /** A program and its arguments. */
  readonly command?: readonly string[];
  readonly http?: HttpCall;
}

export interface HttpCall {
  readonly url: string;
  /** POST where there is a body, otherwise GET. */
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly json?: Json;
}

export type StatusCall = Call & {
  /** Where the answer holds these, as JSON pointers. */
  readonly state?: string;
  readonly exitCode?: string;
  readonly message?: string;
  readonly output?: string;
  /** What the service's own words mean. */
  readonly states?: { readonly [word: string]: StateWord };
};

/** `ended`: the exit code says how. */
export const stateWords = [
  ...(["pending", "running", "success", "failed", "stopped", "ended", "gone", "unknown"] as const),
] as const;
export type StateWord = (typeof stateWords)[number];

const pointer: Schema = {
  type: "string",
  pattern: "^(/.*)?$",
  maxLength: limits.nameLengthMax,
  [limitKeyword]: "nameLengthMax",
};

function call(more: { readonly [name: string]: Schema } = {}): Schema {
  return closed(
    {},
    {
      command: list(text, { minItems: 1, maxItems: limits.execArgumentsMax, [limitKeyword]: "execArgumentsMax" }),
      http: closed(
        { url: { type: "string", pattern: "^https?://" } },
        {
          method: oneOf(["GET", "POST", "PUT", "PATCH", "DELETE"]),
          headers: { type: "object", additionalProperties: text },
          json: {},
        },
      ),
      ...more,
    },
  );
}

const serviceSchema: Schema = closed(
  {
    name: { type: "string", pattern: remoteNamePattern, [limitKeyword]: "remoteNameLengthMax" },
    start: call({ handle: pointer }),
    status: call({
      state: pointer,
      exitCode: pointer,
      message: pointer,
      output: pointer,
      states: { type: "object", additionalProperties: oneOf(stateWords) },
    }),
    stop: call(),
  },
  {
    pollMs: whole(limits.remotePollMsMin, limits.durationMsMax, "durationMsMax"),
    timeoutMs: whole(1, limits.durationMsMax, "durationMsMax"),
    logs: call({ isWhole: truth }),
    list: call(),
    forget: call(),
  },
);

const calls = ["start", "status", "stop", "logs", "list", "forget"] as const;
/** In a start there is no handle yet, and a list is of no run. */
const known: { readonly [name in (typeof calls)[number]]: readonly string[] } = {
  start: ["key", "task", "attempt", "job"],
  status: ["key", "handle"],
  stop: ["key", "handle", "graceSeconds"],
  logs: ["key", "handle", "offset"],
  list: [],
  forget: ["key", "handle"],
};

/** @throws OutlastError `invalid`, naming what is wrong */
export function checkService(value: JsonObject): RemoteService {
  checkSchema(serviceSchema, value, "", "The service");
  for (const name of calls) {
    const given = value[name];
    if (!isObject(given)) continue;
    if ((given["command"] === undefined) === (given["http"] === undefined))
      throw invalid(`/${name}`, `"${name}" has either "command" or "http".`);
    const [wrong] = unknownPlaceholders([given["command"] ?? null, given["http"] ?? null], known[name]);
    if (wrong !== undefined)
      throw invalid(
        `/${name}`,
        `${quote(`\${${wrong}}`)} is not known in "${name}". There are ${[...known[name], "env.NAME"].join(", ")}; write $\${ for a plain \${.`,
      );
  }
  return value as unknown as RemoteService;
}
