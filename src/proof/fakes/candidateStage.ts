/** What the tests of a candidate share: the lease of another leader, and a candidate that is told things at given times. */
import { Candidate, type CandidateEffect, type CandidateInput } from "../../core/election/candidate.ts";
import type { Nonce } from "../../model/ids.ts";
import type { Lease } from "../../model/lease.ts";
import { defaults } from "../../model/limits.ts";

export const own = "http://own:1";
export const other = "http://other:1";

export function lease(beat: number, fields: Partial<Lease> = {}): Lease {
  return {
    epoch: 3,
    nonce: "other" as Nonce,
    beat,
    address: other,
    isResigned: false,
    ttlMs: defaults.leaseTtlMs,
    ...fields,
  };
}

/** `tell` answers with the kinds of the effects. */
export function start(nonce = "own") {
  const candidate = new Candidate(nonce as Nonce, own);
  const tell = (now: number, input: CandidateInput): CandidateEffect["kind"][] => {
    const effects: CandidateEffect[] = [];
    candidate.step(now, input, effects);
    return effects.map((effect) => effect.kind);
  };
  return { candidate, tell };
}
