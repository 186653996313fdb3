/** Reads the answers of a service: the handle of a run, how it is, and which runs there are. */
import type { Json } from "../../model/json.ts";
import { isObject } from "../../model/kinds/kind.ts";
import { limits } from "../../model/limits.ts";
import { problemOfJson, reportedDepthMax } from "../../model/strictJson.ts";
import { BackendTrouble, type RunHandle, type RunState } from "../../ports/backend.ts";
import { type StateWord, type StatusCall, stateWords } from "./service.ts";

/** @param pointer where it stands; left out if it is the whole answer. @throws BackendTrouble */
export function readHandle(body: Buffer, pointer: string | undefined): string {
  const text = body.toString().trim();
  const found = pointer === undefined ? text : at(parse(text), pointer);
  const handle = typeof found === "number" ? String(found) : found;
  if (typeof handle !== "string" || handle === "")
    throw new BackendTrouble(`The service has answered to a start without a handle: ${shown(text)}`);
  if (handle.length > limits.remoteHandleLengthMax)
    throw new BackendTrouble(`The service calls a run by more than ${limits.remoteHandleLengthMax} characters.`);
  return handle;
}

/** A word, or an object with `state`, and perhaps `exitCode`, `message` and `output`; or what the operator says. */
export function readState(body: Buffer, call: StatusCall): RunState {
  const text = body.toString().trim();
  const answer = parse(text);
  const said = call.state === undefined ? (isObject(answer) ? answer["state"] : text) : at(answer, call.state);
  const word = typeof said === "string" ? said : JSON.stringify(said ?? null);
  const state = call.states?.[word] ?? stateWords.find((each) => each === word.toLowerCase());
  if (state === undefined)
    return { kind: "unknown", message: `The service says ${shown(word)}, which means nothing here.` };
  const member = (pointer: string | undefined, name: string) => at(answer, pointer ?? `/${name}`);
  const exitCode = toExitCode(member(call.exitCode, "exitCode"));
  const message = member(call.message, "message");
  const output = member(call.output, "output");
  return toState(state, {
    ...(exitCode !== null && { exitCode }),
    ...(typeof message === "string" &&
      message !== "" && {
        message: message.slice(0, limits.errorMessageLengthMax).toWellFormed(),
      }),
    ...(output !== undefined && { output: kept(output) }),
  });
}

/** What a task cannot keep, such as numbers that are too large to be exact, is kept as text: the job has succeeded all the same. */
function kept(output: Json): Json {
  return problemOfJson(output, reportedDepthMax - 1) === null ? output : JSON.stringify(output).toWellFormed();
}

interface Details {
  readonly exitCode?: number;
  readonly message?: string;
  readonly output?: Json;
}

function toState(word: StateWord, details: Details): RunState {
  switch (word) {
    case "pending":
    case "running":
    case "gone":
      return { kind: word };
    case "unknown":
      return { kind: "unknown", message: details.message ?? "The service does not know how it is." };
    case "ended":
      return { kind: "ended", outcome: details.exitCode === 0 ? "success" : "failed", ...details };
    case "success":
    case "failed":
    case "stopped":
      return { kind: "ended", outcome: word, ...details };
    default:
      return word satisfies never;
  }
}

/** Lines of a key and a handle; others may stand among them that are nobody's here. */
export function readList(body: Buffer): readonly RunHandle[] {
  return body
    .toString()
    .split("\n")
    .flatMap((line) => {
      const [, key = "", id = ""] = /^(\S+)\s+(\S.*)$/.exec(line.trim()) ?? [];
      return key === "" ? [] : [{ key, id }];
    });
}

function toExitCode(value: Json | undefined): number | null {
  const code = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof code === "number" && Number.isSafeInteger(code) ? code : null;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** RFC 6901; undefined if nothing stands there. */
function at(value: Json, pointer: string): Json | undefined {
  let found: Json | undefined = value;
  for (const part of pointer.split("/").slice(1)) {
    if (typeof found !== "object" || found === null) return undefined;
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    found = Object.hasOwn(found, name) ? (found as { readonly [name: string]: Json })[name] : undefined;
  }
  return found;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
