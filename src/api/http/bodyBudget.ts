/** Bounds what is held in memory of all bodies together, so that many large ones cannot fill it, whole or not. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";

/** The name of the bound of a body. */
export type BodyLimit = keyof typeof limits & `${string}odyBytesMax`;

/** What the budget needs to know of a route. */
interface RouteBody {
  readonly body?: { readonly limit: BodyLimit };
  readonly tag: string;
}

export class BodyBudget {
  /** What workers send is counted apart: a flood of submissions must not keep a result out. */
  readonly #freeBytes = { client: limits.bodiesBytesMax, worker: limits.bodiesBytesMax };

  /**
   * To be called before any of the body is read. What it takes is given back when the request has been answered.
   * @throws OutlastError `too-many`
   */
  take(request: FastifyRequest, reply: FastifyReply, route: RouteBody): void {
    const bytes = expectedBytes(request, limits[route.body?.limit ?? "bodyBytesMax"]);
    // However large the others are, a heartbeat and a single task get through.
    if (bytes <= limits.smallBodyBytesMax) return;
    const whose = route.tag === "worker protocol" ? "worker" : "client";
    if (bytes > this.#freeBytes[whose]) {
      throw new OutlastError("too-many", "Large bodies are on their way already, as many as are held at once.", {
        limit: "bodiesBytesMax",
        hint: "Try again shortly, or send less at once.",
      });
    }
    this.#freeBytes[whose] -= bytes;
    reply.raw.once("close", () => {
      this.#freeBytes[whose] += bytes;
    });
  }
}

/** Who does not say how much it will be may send as much as is taken there. */
function expectedBytes({ headers }: FastifyRequest, bytesMax: number): number {
  if (headers["transfer-encoding"] !== undefined) return bytesMax;
  return Math.min(Number(headers["content-length"] ?? 0), bytesMax);
}
