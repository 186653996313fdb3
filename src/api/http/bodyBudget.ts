/** Limits the memory that all request bodies use together. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";

/** The name of the bound of a body. */
export type BodyLimit = keyof typeof limits & `${string}odyBytesMax`;

/** What the budget needs to know of a route. */
interface RouteBody {
  readonly body?: { readonly limit: BodyLimit; readonly isRaw?: boolean };
  readonly tag: string;
}

export class BodyBudget {
  /** Workers have a budget of their own: many submissions must not block results. */
  readonly #freeBytes = { client: limits.bodiesBytesMax, worker: limits.bodiesBytesMax };

  /**
   * Reserves memory for a body; must be called before any of it is read. The memory is released when the request is answered.
   * @throws OutlastError `too-many`
   */
  take(request: FastifyRequest, reply: FastifyReply, route: RouteBody): void {
    // What is streamed is never held.
    if (route.body?.isRaw === true) return;
    const bytes = expectedBytes(request, limits[route.body?.limit ?? "bodyBytesMax"]);
    // Small bodies are always accepted, so that heartbeats and single tasks get through.
    if (bytes <= limits.smallBodyBytesMax) return;
    const whose = route.tag === "worker protocol" ? "worker" : "client";
    if (bytes > this.#freeBytes[whose]) {
      throw new OutlastError("too-many", "Too many large request bodies at the same time.", {
        limit: "bodiesBytesMax",
        hint: "Try again shortly, or send smaller batches.",
      });
    }
    this.#freeBytes[whose] -= bytes;
    reply.raw.once("close", () => {
      this.#freeBytes[whose] += bytes;
    });
  }
}

/** Without a content-length the body may be as large as the route allows. */
function expectedBytes({ headers }: FastifyRequest, bytesMax: number): number {
  if (headers["transfer-encoding"] !== undefined) return bytesMax;
  return Math.min(Number(headers["content-length"] ?? 0), bytesMax);
}
