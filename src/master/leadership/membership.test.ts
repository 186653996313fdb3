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

const own = { name: "own", nonce: "own" as Nonce, address: "http://own:1", role: "leader", epoch: 1, seq: 9 };
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function memberOf(store: MemoryStore, clock: FakeClock, described: object = own): Membership {
  const state = { describe: () => described } as unknown as MasterState;
  return new Membership({ store, clock, log: silent, state });
}

function noteOf(nonce: string, address: string, beat = 1): MemberRecord {
  return { ...own, name: "own", nonce: nonce as Nonce, address, beat, roleSince: 0 } as MemberRecord;
}

test("a master that was started anew at its address is named once, by itself and by the others", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ ids: new SystemIds() });
  const standby = memberOf(store, clock, { ...own, name: "other", nonce: "other", address: "http://other:1" });
  await store.writeMember(noteOf("before", own.address));
  standby.start();
  await clock.advance(defaults.memberRenewMs);
  const membership = memberOf(store, clock);
  membership.start();
  await clock.advance(defaults.memberRenewMs);
  expect(membership.members().map(({ nonce }) => nonce)).toEqual(["other", "own"]);
  expect(standby.members().map(({ nonce }) => nonce)).toEqual(["other", "own"]);
  await Promise.all([membership.stop(), standby.stop()]);
});

test("two masters that live at one address are both named", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ ids: new SystemIds() });
  const membership = memberOf(store, clock);
  for (let beat = 1; beat <= 3; beat++) {
    await store.writeMember(noteOf("twin", own.address, beat));
    if (beat === 1) membership.start();
    await clock.advance(defaults.memberRenewMs);
  }
  expect(membership.members().map(({ nonce }) => nonce)).toEqual(["twin", "own"]);
  await membership.stop();
});

test("takes no note from the past for a sign of life", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ ids: new SystemIds() });
  const membership = memberOf(store, clock);
  let beat = 7;
  store.readMembers = async () => {
    // Every other read is answered with the note before.
    beat = 13 - beat;
    return [{ ...noteOf("gone", "http://gone:1", beat), name: "gone" }];
  };
  membership.start();
  await clock.advance(defaults.memberRenewMs);
  expect(membership.members().map(({ name }) => name)).toEqual(["gone"]);
  await clock.advance(defaults.memberTtlMs + 2 * defaults.memberRenewMs);
  expect(membership.members()).toEqual([]);
});
