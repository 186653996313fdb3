/** Which masters are taken to be alive, by the notes that they leave in the store. */
import { expect, test } from "vitest";
import type { Nonce } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { MemberRecord } from "../../model/member.ts";
import { SystemIds } from "../../node/ids.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../../stores/memory/store.ts";
import type { MasterState } from "../masterState.ts";
import { Membership } from "./membership.ts";

test("takes no note from the past for a sign of life", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ ids: new SystemIds() });
  const own = { name: "own", nonce: "own" as Nonce, address: "http://own:1", role: "leader", epoch: 1, seq: 9 };
  const state = { describe: () => own } as unknown as MasterState;
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const membership = new Membership({ store, clock, log: silent, state });
  let beat = 7;
  store.readMembers = async () => {
    // Every other read is answered with the note before.
    beat = 13 - beat;
    return [{ ...own, name: "gone", nonce: "gone" as Nonce, beat, roleSince: 0 } as MemberRecord];
  };
  membership.start();
  await clock.advance(defaults.memberRenewMs);
  expect(membership.members().map(({ name }) => name)).toEqual(["gone"]);
  await clock.advance(defaults.memberTtlMs + 2 * defaults.memberRenewMs);
  expect(membership.members()).toEqual([]);
});
