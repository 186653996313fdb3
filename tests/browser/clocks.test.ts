/** Clocks that differ, on the first page: a master's that was set while it ran, its worker's beside it, and this browser's. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched } from "./browser.ts";

/** Of masters the wall clock is an hour ahead for their first seconds. */
const wrongClock = `
const right = Date.now;
if (process.argv.includes("master"))
  Date.now = () => right() + (performance.now() < 4_000 ? 3_600_000 : 0);
`;

test("what the doctor says of clocks stands on the first page", async () => {
  const preload = join(mkdtempSync(join(tmpdir(), "outlast-clock-")), "wrongClock.mjs");
  writeFileSync(preload, wrongClock);
  await watched(
    ["master", "worker-1"],
    async ({ cluster, client, until }) => {
      await until("the clock to be set back", async () => (await client.status()).clockOffsetMs! > 1_800_000);
      const { id } = await client.submit({ kind: "sleep", input: { seconds: 0 } });
      await client.wait(id);
      const page = await openPage(cluster.address);
      const wrong = page.getByRole("region", { name: "What is wrong" });
      await wrong.getByText(/^The leader at \S+ counts time .* ahead of its machine's wall clock\.$/).waitFor();
      await wrong.getByText(/^The clock of worker worker-1 is behind its master's by at least/).waitFor();
      expect(await wrong.getByText("The clock of this computer").count()).toBe(0);
      expect(await violations(page)).toEqual([]);
      await screenshot(page, "overview-clocks-wide");
      const phone = await openPage(null, { ...narrow, colorScheme: "dark" });
      await phone.clock.install({ time: Date.now() - 120_000 });
      await phone.goto(cluster.address);
      await phone.getByText(/^The clock of this computer is 2 m.* behind the master's/).waitFor();
      await screenshot(phone, "overview-clocks-narrow-dark");
    },
    { environment: { NODE_OPTIONS: `--import=${preload}` } },
  );
});
