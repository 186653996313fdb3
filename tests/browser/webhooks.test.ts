/** Webhooks by the dashboard: made by a form, tested, followed while their receiver fails, changed and removed. */
import { afterEach, expect, test } from "vitest";
import { Receiver } from "../e2e/webhookReceiver.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";

let receiver = new Receiver();
afterEach(() => {
  receiver.stop();
  receiver = new Receiver();
});

test("a webhook is made, tested, seen failing and recovering, changed and removed", async () => {
  await watched(
    ["master", "worker-1"],
    async ({ cluster, client, until }) => {
      const url = await receiver.start();
      // A URL that masters refuse, and the deliveries of a webhook that was just removed.
      const page = await openPage(`${cluster.address}/webhooks`, {
        ...wide,
        mayFailToLoad: /\/v1\/webhooks\/oncall(\/deliveries.*)?$/,
      });
      await page.getByText("No webhook yet").waitFor();
      await page.getByRole("button", { name: "New webhook …" }).click();
      const form = page.getByRole("dialog");
      await form.getByLabel("Name", { exact: true }).fill("oncall");
      await form.getByLabel("URL").fill("https://user:password@example.com");
      await form.getByRole("button", { name: "Make it" }).click();
      await form.getByRole("alert").getByText("`url` has a user or a password in it").waitFor();
      await form.getByLabel("URL").fill(url);
      await form.getByRole("checkbox", { name: "failure" }).uncheck();
      await form.getByText("Choose at least one event to be told.").waitFor();
      await form.getByRole("checkbox", { name: "failure" }).check();
      await form.getByRole("checkbox", { name: "late" }).check();
      await form.getByLabel("Late after").fill("5m");
      await form.getByLabel("Only tasks with these names").fill("nightly *\n<b>bold</b>");
      expect(await violations(page)).toEqual([]);
      await screenshot(page, "webhook-form");
      await form.getByRole("button", { name: "Make it" }).click();
      receiver.secret = await page.locator("[data-secret]").innerText();
      await page.getByRole("button", { name: "I have it" }).click();
      const content = { url, on: ["failure", "late"], names: ["nightly *", "<b>bold</b>"], lateMs: 300_000 };
      expect((await client.webhooks.get("oncall")).content).toEqual(content);

      await page.getByRole("button", { name: "Test" }).click();
      await page.getByText("oncall has taken the test.").waitFor();
      expect(receiver).toMatchObject({ messages: [{ type: "test" }], refused: [] });

      receiver.status = 503;
      await page.getByRole("button", { name: "Test" }).click();
      await page.getByText("oncall has not taken the test").waitFor();
      const command = ["false"];
      await client.submit({ id: "bad", name: "nightly <i>x</i>", kind: "exec", input: { command }, attemptsMax: 1 });
      await page.getByRole("button", { name: "Waiting 2" }).waitFor();
      const deliveries = page.getByRole("table", { name: "Deliveries" }).getByRole("row");
      await deliveries.filter({ hasText: "test" }).getByText("503").waitFor();
      await deliveries.filter({ hasText: "task.failed" }).getByRole("link", { name: "bad" }).waitFor();
      await page.getByText("one delivery is tried at a time").waitFor();
      // A time that is over says nothing of the next try.
      const heads = await page.getByRole("table", { name: "Deliveries" }).getByRole("columnheader").allInnerTexts();
      for (const row of (await deliveries.all()).slice(1))
        expect(await row.getByRole("cell").nth(heads.indexOf("Next try")).innerText()).not.toContain("ago");
      expect(await violations(page)).toEqual([]);
      await screenshot(page, "webhook-failing-wide-light");
      for (const [look, options] of Object.entries({
        "wide-dark": { ...wide, colorScheme: "dark" },
        "narrow-dark": { ...narrow, colorScheme: "dark" },
        "narrow-light": narrow,
      } as const)) {
        const shown = await openPage(`${cluster.address}/webhooks`, options);
        await shown.getByRole("link", { name: "bad" }).waitFor();
        await screenshot(shown, `webhook-failing-${look}`);
        expect(await shown.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport.width);
        await shown.context().close();
      }

      await page.getByRole("button", { name: "Change …" }).click();
      expect(await form.getByLabel("Late after").inputValue()).toBe("5m");
      await form.getByRole("checkbox", { name: "late" }).uncheck();
      await form.getByRole("button", { name: "Make one" }).click();
      await form.getByRole("button", { name: "Change it" }).click();
      receiver.secret = await page.locator("[data-secret]").innerText();
      await page.getByRole("button", { name: "I have it" }).click();
      const { lateMs: _late, ...rest } = content;
      expect((await client.webhooks.get("oncall")).content).toEqual({ ...rest, on: ["failure"] });
      receiver.status = 204;
      await page.getByRole("button", { name: "Waiting 0" }).waitFor();
      await page.getByRole("cell", { name: "✓ delivered" }).waitFor();
      await until("all of it", () => receiver.messages.some(({ type }) => type === "task.failed"));
      expect(receiver.refused).toEqual([]);
      await page.getByRole("button", { name: "Given up 0" }).click();
      await page.getByText("Nothing was given up.").waitFor();

      await page.getByRole("button", { name: "Remove …" }).click();
      await page.getByRole("button", { name: "Remove it" }).click();
      await page.getByText("No webhook yet").waitFor();
      // On a phone, what is longer than its card scrolls in it: nothing of the card is cut.
      await page.setViewportSize(narrow.viewport);
      const copy = await page.getByRole("button", { name: "Copy the command" }).boundingBox();
      expect((copy?.x ?? Infinity) + (copy?.width ?? 0)).toBeLessThan(narrow.viewport.width);
      expect(await client.webhooks.list()).toEqual([]);
    },
    { masterArguments: ["--webhook-private"] },
  );
});
