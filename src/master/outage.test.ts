/** What a leader refuses while its store does not answer, it accepts again as soon as the store does. */
import { expect, test } from "vitest";
import { defaults, limits } from "../model/limits.ts";
import { SystemIds } from "../node/ids.ts";
import { type OutgoingEntry, StoreUnavailable } from "../ports/store.ts";
import { FakeClock } from "../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import { Master } from "./master.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const sleep = { kind: "sleep", input: { seconds: 1 } } as const;

class UnreliableStore extends MemoryStore {
  isMigrationStuck = false;
  isAppendStuck = false;
  /** Until it resolves, nothing is answered. */
  hang: Promise<unknown> | null = null;

  override async migrate(position: Pick<OutgoingEntry, "seq" | "nonce">): Promise<"migrated" | "taken"> {
    if (this.isMigrationStuck) throw new StoreUnavailable("network", "no answer");
    return super.migrate(position);
  }

  override async append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    await this.hang;
    if (this.isAppendStuck) throw new StoreUnavailable("network", "no answer");
    return super.append(entry);
  }
}

function newMaster(store: MemoryStore, clock: FakeClock): Master {
  return new Master({
    name: "m1",
    address: "http://m1:1",
    store,
    clock,
    ids: new SystemIds(),
    log: silent,
    probe: async () => "unknown",
    peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
  });
}

test.each(["migration", "commit"])("a leader serves again after an outage of its store during a %s", async (moment) => {
  const clock = new FakeClock();
  const store = new UnreliableStore({ ids: new SystemIds() });
  const master = newMaster(store, clock);
  const codes: (string | undefined)[] = [];
  const submit = (): void => {
    const noteCode = (error: { code?: string }): void => void codes.push(error.code);
    master.service.submit([sleep], null).then(() => void codes.push("ok"), noteCode);
  };
  store.isMigrationStuck = moment === "migration";
  await master.start();
  await clock.advance(1_000);
  expect(master.service.status().role).toBe("leader");
  store.isAppendStuck = moment === "commit";
  // The first one waits for the store in vain; the second one is refused at once.
  submit();
  await clock.advance(2 * limits.commitWaitMsMax);
  submit();
  await clock.advance(0);
  expect(codes).toEqual(["unavailable", "unavailable"]);
  store.isMigrationStuck = false;
  store.isAppendStuck = false;
  await clock.advance(2 * defaults.commitRetryMsMax);
  submit();
  await clock.advance(0);
  expect(codes.at(-1)).toBe("ok");
  const stopped = master.stop();
  await clock.advance(1_000);
  await stopped;
});

test("a store that does not answer at all is trouble, too, until it does", async () => {
  const clock = new FakeClock();
  const store = new UnreliableStore({ ids: new SystemIds() });
  const master = newMaster(store, clock);
  await master.start();
  await clock.advance(1_000);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.hang = promise;
  const submitted = master.service.submit([sleep], null).catch((error: unknown) => error);
  await clock.advance(limits.commitWaitMsMax - 1_000);
  expect(master.service.status().trouble).toBeNull();
  await clock.advance(2_000);
  expect(master.service.status().trouble).toMatch(/^slow: The store has not answered a commit for 5 s/);
  expect(await submitted).toMatchObject({ code: "unavailable" });
  resolve();
  await clock.advance(1_000);
  expect(master.service.status().trouble).toBeNull();
  const stopped = master.stop();
  await clock.advance(1_000);
  await stopped;
});
