/** Judges what came back by the API's documents: statuses, shapes, and that nothing of the inside is shown. */
import { type ErrorCode, errorStatus } from "../../model/errors.ts";
import type { Answer } from "./answers.ts";
import type { ApiDocument, Operation } from "./operations.ts";
import type { Observation } from "./player.ts";

export interface Offence {
  readonly rule:
    | "server error"
    | "undocumented status"
    | "error shape"
    | "answer shape"
    | "inside shown"
    | "bad input taken"
    | "no answer"
    | "no HTTP";
  readonly message: string;
}

/** Of connections that never became a request: the API's documents name them apart from all operations. */
const wireStatuses: { readonly [status: number]: ErrorCode } = {
  400: "bad-request",
  408: "too-slow",
  431: "too-large",
};
const errorBytesMax = 4096;
const insides = [/\bat [^\n"]*:\d+:\d+/, /node_modules/, /file:\/\/\//, /\/src\/\w+\//, /SQLITE_/, /node:internal/];

/** All that is wrong with one observation. */
export function judge(document: ApiDocument, observation: Observation): readonly Offence[] {
  const { received, kind, mustBeRefused } = observation;
  switch (received.kind) {
    case "answer":
      return judgeAnswer(document, observation, received.answer);
    case "garbage":
      return [{ rule: "no HTTP", message: `What came back is no HTTP: ${received.why}` }];
    case "closed":
    case "silence": {
      if (kind === "raw" && (observation.missing ?? 0) === 0) return [];
      const how = received.kind === "silence" ? "nothing came back" : "the connection was closed";
      return [{ rule: "no answer", message: `${how}${mustBeRefused ? ", and a refusal was due" : ""}.` }];
    }
    default:
      return received satisfies never;
  }
}

function judgeAnswer(document: ApiDocument, observation: Observation, answer: Answer): readonly Offence[] {
  const { method, path, mustBeRefused } = observation;
  const { status, body } = answer;
  const offences: Offence[] = [];
  const add = (rule: Offence["rule"], message: string) => offences.push({ rule, message });
  if (status >= 500 && status !== 503) add("server error", `It answered ${status}: ${excerpt(body)}`);
  if (mustBeRefused && status < 400) add("bad input taken", `It answered ${status} to what its documents refuse.`);
  const shown = insides.find((inside) => inside.test(body.toString("latin1")));
  if (shown !== undefined) add("inside shown", `The answer holds ${shown.source}: ${excerpt(body)}`);
  const operation = document.match(method, path);
  const answers = method === "" ? anyOf(document, status) : (operation?.answers[status] ?? null);
  if (method === "HEAD" || (method === "OPTIONS" && status === 204)) return offences;
  if (answers !== null && isDocumented(document, answers, answer)) return offences;
  if (status < 400) {
    if (answers === null) add("undocumented status", `It answered ${status}, which is documented nowhere for this.`);
    else if (method !== "") add("answer shape", misfitOf(document, answers, answer) ?? "It fits no documented answer.");
    return offences;
  }
  return [...offences, ...judgeError(document, answer, operation)];
}

function judgeError(document: ApiDocument, answer: Answer, operation: Operation | null): readonly Offence[] {
  const { status, headers, body } = answer;
  const offences: Offence[] = [];
  const add = (message: string) => offences.push({ rule: "error shape", message: `${status}: ${message}` });
  const told = parse(body);
  const misfit = document.misfit({ $ref: "#/components/schemas/Error" }, told);
  if (misfit !== null) {
    add(`The error does not look like one (${misfit}): ${excerpt(body)}`);
    return offences;
  }
  const { code } = (told as { readonly error: { readonly code: ErrorCode } }).error;
  if (errorStatus[code] !== status && wireStatuses[status] !== code) {
    offences.push({ rule: "undocumented status", message: `It answered ${status} with the code ${code}.` });
  }
  if (body.length > errorBytesMax) add(`The error has ${body.length} bytes.`);
  if (headers.get("content-type") !== "application/json; charset=utf-8") add("It is not called JSON.");
  if (headers.get("x-content-type-options") !== "nosniff") add("It lacks x-content-type-options.");
  if ((status === 503 || status === 429) && !headers.has("retry-after")) add("It lacks retry-after.");
  if (status === 405 && !headers.has("allow")) add("It lacks allow.");
  if (operation !== null && !(status in wireStatuses) && !headers.has("x-outlast-seq")) add("It lacks x-outlast-seq.");
  return offences;
}

type Contents = Operation["answers"][string];

/** For bytes that may have become any request: what some operation answers with this status. */
function anyOf(document: ApiDocument, status: number): Contents | null {
  const all = document.operations.flatMap(({ answers }) => (answers[status] === undefined ? [] : [answers[status]]));
  if (all.length === 0) return status === 204 ? {} : null;
  return Object.assign({}, ...all) as Contents;
}

function isDocumented(document: ApiDocument, answers: Contents, answer: Answer): boolean {
  return misfitOf(document, answers, answer) === null;
}

function misfitOf(document: ApiDocument, answers: Contents, { headers, body, isStream }: Answer): string | null {
  const types = Object.keys(answers);
  if (types.length === 0) return body.length === 0 ? null : "There is a body where none is documented.";
  const type = (headers.get("content-type") ?? "").split(";")[0] ?? "";
  const schema = answers[type];
  if (schema === undefined) return `The type ${type} is not documented.`;
  if (isStream || type !== "application/json") return null;
  return document.misfit(schema, parse(body));
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function excerpt(body: Buffer): string {
  return JSON.stringify(body.toString("utf8").slice(0, 300));
}
