/** What all masters of a cluster are told alike: how soon a silent leader is replaced, and how long finished tasks are kept. */
import { expect, test } from "vitest";
import { defaults } from "../../src/model/limits.ts";
import { readJournal } from "../../src/proof/demo/witness.ts";
import { scene } from "./scene.ts";

test("with --failover fast, a leader that stands still is replaced before its usual lease would have run out", () =>
  scene(
    ["m1"],
    async (play) => {
      await play.cluster.start("m2");
      await play.until("m2 to stand by", async () => (await play.client.masters()).length === 2);
      play.pauseBetweenWrites("m1");
      const stoppedAt = Date.now();
      await play.until("m2 to lead", async () => {
        const [second] = (await play.client.masters()).filter(({ name }) => name === "m2");
        return second?.role === "leader";
      });
      expect((await readJournal(play.client)).markers.at(-1)!.at - stoppedAt).toBeLessThan(defaults.leaseTtlMs);
    },
    { masters: ["m1", "m2"], masterArguments: ["--failover", "fast"] },
  ));

test("with --finished-max, the oldest finished tasks are forgotten, and their ids can be used again", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      const ids = ["a", "b", "c", "d"];
      for (const id of ids) {
        await play.client.submit({ id, kind: "sleep", input: { seconds: 0 } });
        await play.success(id);
      }
      await play.until("two of four to be left", async () => {
        const left = (await play.client.list()).tasks;
        return left.length === 2 && left.every(({ id }) => ["c", "d"].includes(id));
      });
      await expect(play.client.get("a")).rejects.toMatchObject({ code: "not-found" });

      await play.client.submit({ id: "a", kind: "sleep", input: { seconds: 0 } });
      // The worker is done with an a/1, but not with this one.
      expect(await play.success("a")).toMatchObject({ attempt: 1, failures: 0, kills: 0 });
    },
    { masterArguments: ["--finished-max", "2"] },
  ));
