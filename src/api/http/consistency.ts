/** Consistent reads: this master first catches up with everything that was committed before the request. */
import type { FastifyRequest } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { type ErrorBody, OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import { passedOn } from "./headers.ts";
import type { Relay } from "./relay.ts";

export class Consistency {
  readonly #master: MasterApi;
  readonly #relay: Relay;

  constructor(master: MasterApi, relay: Relay) {
    this.#master = master;
    this.#relay = relay;
  }

  /** Resolves when reads of this master include everything that the leader had committed when this was called. */
  async catchUp(request: FastifyRequest): Promise<void> {
    const leader = await this.#relay.leaderFor(request, defaults.electionWaitMs);
    if (leader === null) await this.#master.barrier();
    else await this.#see(await this.#askForBarrier(leader, request));
  }

  /** Waits until this master has seen the journal up to `seq`. */
  async #see(seq: number): Promise<void> {
    const master = this.#master;
    if (master.status().seq >= seq) return;
    const seen = Promise.withResolvers<void>();
    const look = () => {
      if (master.status().seq >= seq) seen.resolve();
    };
    const subscription = await master.changes(null, look, look);
    const timer = setTimeout(() => seen.reject(tooFarBehind()), limits.commitWaitMsMax);
    try {
      // It may have arrived while the subscription was made.
      look();
      await seen.promise;
    } finally {
      clearTimeout(timer);
      subscription.close();
    }
  }

  /** @throws OutlastError what the leader says, or `unavailable` */
  async #askForBarrier(leader: string, request: FastifyRequest): Promise<number> {
    const { authorization } = passedOn(request.raw.headers);
    const headers = { ...(authorization !== undefined && { authorization }) };
    try {
      const answer = JSON.parse(await this.#relay.callLeader(leader, "/v1/barrier", headers)) as
        | { seq: number }
        | ErrorBody;
      if (!("error" in answer)) return answer.seq;
      const { code, message, ...details } = answer.error;
      throw new OutlastError(code, message, details);
    } catch (error) {
      if (error instanceof OutlastError) throw error;
      throw new OutlastError("unavailable", "The leader cannot be reached for a consistent read.", {
        leader,
        hint: "Try again, or read without consistent=true.",
      });
    }
  }
}

function tooFarBehind(): OutlastError {
  return new OutlastError("unavailable", "This standby is too far behind the leader.", {
    hint: "Try again, or send the request to the leader.",
  });
}
