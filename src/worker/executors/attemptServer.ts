/**
 * How a command talks with its task's leader while it runs: it connects to a socket of its worker and shows the token of its attempt,
 * which is in its environment. The worker passes on what it says as if a handler had said it. A token is worth something only as
 * long as its attempt runs, and only for that attempt's task.
 */
import { randomBytes } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { noItems } from "../../model/family.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { checkSubmission, type Submission } from "../../model/submission.ts";
import type { Clock } from "../../ports/clock.ts";
import { AttemptOver, type AttemptSession } from "../../ports/work.ts";
import type { Environment } from "./environment.ts";

/** What a command may ask for. */
export type AttemptRequest =
  /** What the task remembers under this key. */
  | { readonly kind: "find-step"; readonly key: string }
  | { readonly kind: "step"; readonly key: string; readonly value: Json }
  /** A set of one child. The task ends only when its children have. */
  | { readonly kind: "child"; readonly key: string; readonly submission: Submission }
  | { readonly kind: "progress"; readonly done?: number; readonly total?: number; readonly text?: string };

/** `value` is there for a remembered step. */
export type AttemptReply =
  | { readonly kind: "done" }
  | { readonly kind: "step"; readonly value?: Json }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

export interface Admission {
  /** For the commands of the attempt. */
  readonly environment: Environment;
  /** The attempt has ended: its token is worth nothing any more. */
  end(): void;
}

export interface SocketPlace {
  /** Absolute. A socket that a dead process of this worker has left there is replaced. */
  readonly path: string;
  /** True if commands run as another user. Whoever connects still needs a token. */
  readonly isForOthers: boolean;
}

interface Admitted {
  readonly session: AttemptSession;
  progress: { readonly done: number; readonly total?: number };
}

export class AttemptServer {
  readonly #clock: Clock;
  readonly #admitted = new Map<string, Admitted>();
  readonly #server: Server;
  readonly #path: string;
  readonly #isForOthers: boolean;
  #isListening = false;

  constructor({ path, isForOthers }: SocketPlace, clock: Clock) {
    this.#path = path;
    this.#isForOthers = isForOthers;
    this.#clock = clock;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async open(): Promise<void> {
    await rm(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#path, resolve);
    });
    if (this.#isForOthers) await chmod(this.#path, 0o666);
    this.#isListening = true;
  }

  /** Connections of commands that have ended do not hold this up. */
  async close(): Promise<void> {
    if (!this.#isListening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await rm(this.#path, { force: true });
  }

  admit(session: AttemptSession): Admission {
    if (!this.#isListening) return { environment: {}, end: () => undefined };
    const token = randomBytes(16).toString("hex");
    this.#admitted.set(token, { session, progress: { done: 0 } });
    return {
      environment: { OUTLAST_ATTEMPT_SOCKET: this.#path, OUTLAST_ATTEMPT_TOKEN: token },
      end: () => void this.#admitted.delete(token),
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = /^Bearer ([0-9a-f]+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const reply = await this.#answer(token, request).catch((error: unknown): AttemptReply => {
      const isOver = error instanceof AttemptOver;
      const message = isOver || !(error instanceof Error) ? "This attempt is over." : error.message;
      return { kind: "refused", code: isOver ? "stale" : "invalid", message };
    });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(reply));
  }

  async #answer(token: string, request: IncomingMessage): Promise<AttemptReply> {
    const asked = (await readJson(request)) as AttemptRequest;
    const attempt = this.#admitted.get(token);
    if (attempt === undefined) {
      return {
        kind: "refused",
        code: "unauthorized",
        message: "The attempt of this command is over, or its token is wrong.",
      };
    }
    switch (asked.kind) {
      case "find-step":
        return findStep(attempt.session, String(asked.key));
      case "step":
        return toReply(await attempt.session.send({ kind: "step", key: String(asked.key), value: asked.value }));
      case "child": {
        const given = asked.submission as unknown as Json;
        checkSubmission(given, "/submission");
        const submissions = [given];
        const set = { first: 0, before: noItems, isLast: true, onFailure: "wait" as const };
        return toReply(await attempt.session.send({ kind: "children", key: String(asked.key), submissions, ...set }));
      }
      case "progress":
        return this.#tell(attempt, asked);
      default:
        return { kind: "refused", code: "invalid", message: "This is nothing that a command may ask for." };
    }
  }

  #tell(attempt: Admitted, asked: Extract<AttemptRequest, { kind: "progress" }>): AttemptReply {
    const { done, total, text } = asked;
    // A text alone leaves the numbers as they are.
    if (done !== undefined) attempt.progress = { done, ...(total !== undefined && { total }) };
    const at = this.#clock.now();
    attempt.session.tell({ kind: "progress", ...attempt.progress, ...(text !== undefined && { text }), at });
    return { kind: "done" };
  }
}

async function findStep(session: AttemptSession, key: string): Promise<AttemptReply> {
  let after: string | null = null;
  do {
    const page = await session.readSteps(after);
    const found = page.steps.find((each) => each.key === key);
    if (found !== undefined) return { kind: "step", ...("value" in found.step && { value: found.step.value }) };
    after = page.next;
  } while (after !== null);
  return { kind: "step" };
}

function toReply(answer: Awaited<ReturnType<AttemptSession["send"]>>): AttemptReply {
  switch (answer.verdict) {
    case "committed":
      return { kind: "done" };
    case "stale":
      return { kind: "refused", code: "stale", message: "This attempt is over." };
    case "refused":
      return { kind: "refused", code: answer.code, message: answer.message };
    default:
      return answer satisfies never;
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > limits.bodyBytesMax) throw new Error(`The request is larger than ${limits.bodyBytesMax} bytes.`);
    pieces.push(piece);
  }
  return JSON.parse(Buffer.concat(pieces).toString());
}
