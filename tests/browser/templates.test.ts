/** Templates are made and changed by a form, by those who may. */
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

test("a template and a new version of it are made by a form, which says beside its fields what is wrong", async () => {
  await watched(
    ["master", "worker-1"],
    async (stage) => {
      const root = rootOf(stage);
      const { address } = stage.cluster;
      for (const [name, role] of [
        ["olga", "operator"],
        ["sam", "submitter"],
      ] as const)
        await root.people.addUser({ name, role, password });
      // It is refused once, and whoever looks at it while it is removed may ask for it once more.
      const looks = { ...wide, mayFailToLoad: /\/v1\/templates\/report$/ };
      const page = await openPage(null, looks);
      await page.request.post(`${address}/v1/session`, { data: { name: "olga", password } });
      await page.goto(`${address}/templates`);
      await page.getByText("No template yet").waitFor();
      await page.getByRole("button", { name: "New template …" }).click();
      const form = page.getByRole("dialog");
      const name = form.getByLabel("Name", { exact: true }).first();
      const make = form.getByRole("button", { name: "Make it" });
      await make.click();
      expect(await form.getByText("A value is needed here.").count()).toBe(2);
      expect(await name.evaluate((field) => field === document.activeElement)).toBe(true);
      await name.fill("two words");
      await form.getByLabel("Command").fill("echo\n${rows} rows\nof ${titel}");
      await form.getByRole("button", { name: "Add a variable" }).click();
      await form.getByRole("button", { name: "Add a variable" }).click();
      const [first, second] = [form.getByRole("group").nth(1), form.getByRole("group").nth(2)];
      await first.getByLabel("Name", { exact: true }).fill("2nd");
      await second.getByLabel("Name", { exact: true }).fill("title");
      await make.click();
      await form.getByText("Letters, digits and . _ : - can stand in a name.").waitFor();
      await form.getByText("A letter first, then letters, digits and _.").waitFor();
      expect(await violations(page)).toEqual([]);
      await screenshot(page, "template-dialog-wrong");

      await name.fill("report");
      await first.getByLabel("Name", { exact: true }).fill("rows");
      await first.getByLabel("Type").selectOption("integer");
      await first.getByLabel("At least").fill("1");
      await first.getByLabel("If no value is given").selectOption("default");
      await first.getByLabel("Default").fill("0");
      await make.click();
      await first.getByText("It must be at least 1.").waitFor();
      await first.getByLabel("Default").fill("17");
      await make.click();
      // What only the master can know, it says.
      await form.getByRole("alert").getByText("titel").waitFor();
      await screenshot(page, "template-dialog-refused");
      await form.getByLabel("Command").fill("echo\n${rows} rows\nof ${title}");
      await make.click();
      await form.waitFor({ state: "detached" });
      const made = {
        variables: { rows: { type: "integer", minimum: 1, default: 17 }, title: { type: "string" } },
        task: { kind: "exec", input: { command: ["echo", "${rows} rows", "of ${title}"] } },
      };
      expect(await root.template("report")).toMatchObject({ version: 1, ...made });

      await page.getByRole("button", { name: "New version …" }).click();
      await form.getByLabel("Description").first().fill("Counts the rows");
      await page.setViewportSize(narrow.viewport);
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await violations(page)).toEqual([]);
      await screenshot(page, "template-dialog-narrow-dark");
      await page.setViewportSize(wide.viewport);
      await form.getByRole("button", { name: "Save the version" }).click();
      await form.waitFor({ state: "detached" });
      expect(await root.template("report")).toMatchObject({ version: 2, description: "Counts the rows", ...made });
      await page.getByLabel("title").fill("sales");
      await page.getByRole("button", { name: "Run it" }).click();
      await page.getByRole("log").getByText("17 rows of sales").waitFor();

      const other = await openPage(null, looks);
      await other.request.post(`${address}/v1/session`, { data: { name: "sam", password } });
      await other.goto(`${address}/templates`);
      await other.getByRole("button", { name: "Run it" }).waitFor();
      expect(await other.getByRole("button", { name: /New|Remove/ }).count()).toBe(0);

      await root.putTemplate("other", {
        task: made.task,
        variables: { rows: { type: "integer" }, title: { type: "string" } },
      });
      await page.goto(`${address}/templates?name=report`);
      await page.getByRole("button", { name: "Remove …" }).click();
      await form.getByText("Nobody can run it any more.").waitFor();
      expect(await violations(page)).toEqual([]);
      await screenshot(page, "template-remove");
      await form.getByRole("button", { name: "Leave it" }).click();
      await form.waitFor({ state: "detached" });
      expect(await root.template("report")).toMatchObject({ version: 2 });
      await page.getByRole("button", { name: "Remove …" }).click();
      await form.getByRole("button", { name: "Remove it" }).click();
      await form.waitFor({ state: "detached" });
      await page.getByRole("heading", { name: "Run other" }).waitFor();
      expect((await Array.fromAsync(root.templates())).map((each) => each.name)).toEqual(["other"]);
      expect(await page.getByRole("link", { name: "report" }).count()).toBe(0);
    },
    guarded,
  );
});
