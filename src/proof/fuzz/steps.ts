/** What a fuzzing case is made of: plain data, so that it can be kept in a file, made smaller and played again. */

/** Text goes out as UTF-8, with every `{{name}}` replaced by what the player knows under that name. */
export type Piece = string | { readonly base64: string } | { readonly repeat: string; readonly times: number };
export type Payload = readonly Piece[];

export type Header = readonly [name: string, value: string];

/** One well-framed request. Host, length and token are added unless the headers name them. */
export interface RequestStep {
  readonly kind: "request";
  readonly method: string;
  readonly path: string;
  readonly headers: readonly Header[];
  readonly body: Payload | null;
  /** Values of the JSON answer that later steps use: the name, and where the value stands as a JSON pointer. */
  readonly keep?: { readonly [name: string]: string };
  /** By the API's own documents this can only be refused. */
  readonly mustBeRefused?: boolean;
  /** Its credentials are wrong: where a token is in use it must hear nothing but that. */
  readonly isStranger?: boolean;
}

/** Bytes on a connection of their own, in pieces, and what becomes of the connection after the last one. */
export interface RawStep {
  readonly kind: "raw";
  readonly parts: readonly Payload[];
  readonly pauseMs: number;
  /** `wait`: for answers, until the server closes or is silent for a while. The others act at once. */
  readonly ending: "wait" | "close" | "half-close" | "reset";
  /** So many answers must come, no matter what; left out where nobody can tell. */
  readonly answers?: number;
}

/** Opens an event stream that stays open until a `close`, or until the case ends. */
export interface StreamStep {
  readonly kind: "stream";
  readonly name: string;
  readonly path: string;
  readonly headers: readonly Header[];
  /** `never` takes nothing off the connection; `slow` takes a little now and then. */
  readonly reader: "fast" | "slow" | "never";
}

export interface CloseStep {
  readonly kind: "close";
  readonly name: string;
  readonly how: "close" | "reset";
}

/** Goes on once the stream has brought this text, or a bounded time has passed: a case must never hang on a refusal. */
export interface AwaitStep {
  readonly kind: "await";
  readonly name: string;
  readonly text: string;
  /** It has to come, and is given more time. */
  readonly isNeeded?: boolean;
}

/** Lets time pass on the wire, which is a fault of its own kind. */
export interface PauseStep {
  readonly kind: "pause";
  readonly ms: number;
}

export type Step = RequestStep | RawStep | StreamStep | CloseStep | AwaitStep | PauseStep;

export interface Case {
  /** What kind of case: for the counts. */
  readonly name: string;
  readonly steps: readonly Step[];
}

export type Names = ReadonlyMap<string, string>;

export function fill(text: string, names: Names): string {
  return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => names.get(name) ?? whole);
}

export function toBytes(payload: Payload, names: Names): Buffer {
  return Buffer.concat(
    payload.map((piece) => {
      if (typeof piece === "string") return Buffer.from(fill(piece, names));
      if ("base64" in piece) return Buffer.from(piece.base64, "base64");
      return Buffer.from(piece.repeat.repeat(piece.times));
    }),
  );
}
