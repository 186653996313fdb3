/** People at the dashboard: signing in and out, what each role sees, and an admin who adds a colleague bound to one queue. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Outlast } from "../../src/sdk/client.ts";
import type { Scene } from "../e2e/scene.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, password, rootOf, rootToken } from "./guarded.ts";

/** What the master refuses to those who have not signed in. */
const session = { ...wide, mayFailToLoad: /\/v1\/(session|events)/ };

const signInHeading = (page: Page) => page.getByRole("heading", { name: "Sign in to Outlast" });

async function signIn(page: Page, name: string, secret = password): Promise<void> {
  await signInHeading(page).waitFor();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(secret);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("nothing is shown before a sign-in; a wrong one says so, a right one lasts until the sign-out", async () => {
  await watched(
    ["master"],
    async (stage) => {
      await rootOf(stage).people.addUser({ name: "ada", role: "admin", password });
      const page = await openPage(`${stage.cluster.address}/queues`, session);
      await signInHeading(page).waitFor();
      expect(await page.getByRole("navigation").count()).toBe(0);
      await signIn(page, "ada", "not the password");
      await page.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
      expect(await page.context().cookies()).toEqual([]);

      await signIn(page, "ada");
      // The address has stayed.
      await page.getByRole("heading", { name: "Queues" }).waitFor();
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
      expect(await page.evaluate(() => `${document.cookie}${JSON.stringify(Object.entries(sessionStorage))}`)).toBe(
        "[]",
      );
      await page.reload();
      await page.getByRole("link", { name: "Signed in as ada" }).waitFor();

      await page.getByRole("button", { name: "Sign out" }).click();
      await signInHeading(page).waitFor();
      expect(await page.context().cookies()).toEqual([]);
      const again = { headers: { cookie: `${cookie?.name}=${cookie?.value}` } };
      expect((await page.request.get(`${stage.cluster.address}/v1/session`, again)).status()).toBe(401);
      await page.reload();
      await signInHeading(page).waitFor();
    },
    guarded,
  );
});

test("a token gives the browser a session, and a worker's token is told that it may not read", async () => {
  await watched(
    ["master"],
    async (stage) => {
      const { token } = await rootOf(stage).people.addToken({ name: "machines", role: "worker" });
      const page = await openPage(stage.cluster.address, session);
      await page.getByRole("button", { name: "Token" }).click();
      const enter = async (text: string) => {
        await page.getByLabel("Token", { exact: true }).fill(text);
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
      };
      await enter("olt_wrong");
      await page.getByRole("alert").getByText("The token is wrong, was removed, or has expired.").waitFor();
      await enter(token);
      await page.getByText("The role worker may not read").waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("button", { name: "Token" }).click();
      await enter(rootToken);
      await page.getByRole("link", { name: "Signed in as Root token" }).waitFor();
      expect(page.url()).not.toContain(rootToken);
      const kept = () =>
        `${document.cookie}${JSON.stringify([...Object.entries(sessionStorage), ...Object.entries(localStorage)])}`;
      expect(await page.evaluate(kept)).not.toContain(rootToken);
      expect(JSON.stringify(await page.context().cookies())).not.toContain(rootToken);
      await page.reload();
      await page.getByRole("link", { name: "Signed in as Root token" }).waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await signInHeading(page).waitFor();
      expect(await page.context().cookies()).toEqual([]);
    },
    guarded,
  );
});

test("a viewer is offered nothing that he may not do", async () => {
  await watched(
    ["master"],
    async (stage) => {
      const root = rootOf(stage);
      await root.people.addUser({ name: "ada", role: "admin", password });
      await root.people.addUser({ name: "vera", role: "viewer", password });
      await root.submit({ id: "waits", kind: "sleep", input: { seconds: 1 } });
      await root.putTemplate("report", { task: { kind: "sleep", input: { seconds: 0 } } });
      const when = { cron: "30 2 * * *" };
      await root.schedules.put("nightly", { when, task: { kind: "sleep", input: { seconds: 0 } } });
      const page = await openPage(stage.cluster.address, session);
      await signIn(page, "vera");
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      const navigation = page.getByRole("navigation", { name: "Pages" });
      expect(await navigation.getByRole("link", { name: /Users|Tokens|Audit/ }).count()).toBe(0);
      for (const [path, shown, refused] of [
        ["/tasks", "waits", /Cancel|Run again|Select/],
        ["/tasks/waits", "Input", /Cancel|Run again|Retry/],
        ["/queues", "default", /Pause/],
        ["/schedules", "Next ticks", /Pause|Trigger/],
        ["/templates", "report", /Run it/],
      ] as const) {
        await page.goto(`${stage.cluster.address}${path}`);
        await page.getByText(shown, { exact: true }).first().waitFor();
        expect([path, await page.getByRole("button", { name: refused }).allInnerTexts()]).toEqual([path, []]);
        expect([path, await page.getByRole("checkbox", { name: /^Select/ }).count()]).toEqual([path, 0]);
      }
      for (const path of ["/webhooks", "/users", "/tokens", "/audit"]) {
        await page.goto(`${stage.cluster.address}${path}`);
        await page.getByText("Your role is viewer.").waitFor();
      }
    },
    guarded,
  );
});

/** Tasks of two queues, one of which has ended. */
async function fillQueues(root: Outlast, { until }: Scene): Promise<void> {
  await root.submit({ id: "theirs", name: "report of May", kind: "sleep", input: { seconds: 0 }, queue: "reports" });
  await root.submit({ id: "other", name: "the payroll", kind: "sleep", input: { seconds: 0 }, queue: "payroll" });
  const task = { kind: "sleep", input: { seconds: 0 }, queue: "payroll" };
  await root.putTemplate("payroll", { task });
  await root.schedules.put("payroll-nightly", { when: { cron: "30 2 * * *" }, task });
  await root.webhooks.put("payroll-late", { url: "https://example.com/hooks", on: ["late"], queues: ["payroll"] });
  await until("both tasks to end", async () => (await root.list({ states: ["success"] })).tasks.length === 2);
}

test("an admin adds a colleague bound to one queue, who sees only that, until he is removed", async () => {
  await watched(
    ["master", "worker-1"],
    async (stage) => {
      const { address } = stage.cluster;
      const root = rootOf(stage);
      await root.people.addUser({ name: "ada", role: "admin", password });
      await fillQueues(root, stage);

      const admin = await openPage(`${address}/users`, session);
      await signIn(admin, "ada");
      await admin.getByRole("button", { name: "Add a user …" }).click();
      const dialog = admin.getByRole("dialog");
      await dialog.getByLabel("Name").fill("rep");
      await dialog.getByLabel("Role").selectOption("operator");
      await dialog.getByLabel("Only these queues").fill("reprots");
      await dialog.getByText("No task and no worker is in reprots so far.").waitFor();
      await screenshot(admin, "user-dialog-mistyped-queue");
      await dialog.getByLabel("Only these queues").fill("");
      await dialog
        .getByRole("group", { name: "Queues that there are" })
        .getByRole("button", { name: "reports" })
        .click();
      expect(await dialog.getByLabel("Only these queues").inputValue()).toBe("reports");
      expect(await dialog.getByText(/No task and no worker/).count()).toBe(0);
      await dialog.getByRole("button", { name: "Make one" }).click();
      expect(await violations(admin)).toEqual([]);
      await dialog.getByRole("button", { name: "Add the user" }).click();
      const made = await admin.locator("[data-secret]").innerText();
      await admin.getByRole("button", { name: "I have it" }).click();
      const row = admin.getByRole("table", { name: "Users" }).getByRole("row").filter({ hasText: "rep" });
      await row.getByText("reports").waitFor();
      await row.getByText("user:ada").waitFor();
      await screenshot(admin, "users-with-a-colleague");

      // Once he is removed, whatever his page asks for at that moment is refused.
      const options = { ...session, mayFailToLoad: /\/v1\// };
      const colleague = await openPage(address, options);
      await signIn(colleague, "rep", made);
      await colleague.getByRole("link", { name: "success 1" }).waitFor();
      const seen: string[] = [];
      for (const [path, shown] of [
        ["/", "Masters"],
        ["/tasks", "report of May"],
        ["/tasks/theirs", "report of May"],
        ["/queues", "reports"],
        ["/workers", "Workers"],
        ["/timeline", "report of May"],
        ["/schedules", "No schedule in your queues"],
        ["/templates", "No template in your queues"],
        ["/webhooks", "No webhook yet"],
        ["/account", "reports"],
      ] as const) {
        await colleague.goto(`${address}${path}`);
        await colleague.getByText(shown, { exact: true }).first().waitFor();
        await colleague.getByText("You see one queue only: reports").waitFor();
        seen.push(await colleague.locator("body").innerText());
      }
      expect(seen.join("\n")).not.toMatch(/payroll/);
      await colleague.goto(`${address}/tasks/other`);
      await colleague.getByRole("heading", { name: "Unknown task" }).waitFor();
      // Within his queue he does what an operator does.
      await colleague.goto(`${address}/queues`);
      await colleague.getByRole("button", { name: "Pause" }).click();
      await colleague.getByRole("button", { name: "Resume" }).waitFor();
      await colleague.goto(`${address}/workers`);
      await colleague.getByText("serves queues of others, too").waitFor();
      expect(await colleague.getByRole("button", { name: "Drain …" }).count()).toBe(0);
      await screenshot(colleague, "bound-workers");
      await colleague.goto(`${address}/webhooks`);
      await colleague.getByRole("button", { name: "New webhook …" }).click();
      await colleague.getByRole("checkbox", { name: "failure" }).waitFor();
      expect(await colleague.getByRole("checkbox", { name: "alarm" }).count()).toBe(0);

      // A page that is open notices at once, by its event stream.
      await row.getByRole("button", { name: "Remove rep" }).click();
      await admin.getByRole("button", { name: "Remove the user" }).click();
      await signInHeading(colleague).waitFor();

      await admin.goto(`${address}/audit`);
      const records = admin.getByRole("table", { name: "Audit record" }).getByRole("row");
      await records.filter({ hasText: "add user" }).filter({ hasText: "user:ada" }).waitFor();
      await screenshot(admin, "audit");
      await admin.getByLabel("Who").fill("user:rep");
      await admin.getByRole("button", { name: "Filter" }).click();
      await admin.waitForURL("**by=user*");
      await expect.poll(() => records.filter({ hasText: "user:ada" }).count()).toBe(0);
      await records.filter({ hasText: "pause" }).waitFor();
      await admin.goto(`${address}/audit`);
      await admin.getByLabel("Did").fill("add user");
      await admin.getByRole("button", { name: "Filter" }).click();
      await admin.waitForURL("**action=add-user**");
      await records.filter({ hasText: "add user" }).first().waitFor();
      expect(await violations(admin)).toEqual([]);
      const phone = await openPage(address, { ...session, ...narrow, colorScheme: "dark" });
      await signIn(phone, "ada");
      await phone.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      await phone.goto(`${address}/audit`);
      await phone.getByRole("table", { name: "Audit record" }).waitFor();
      await screenshot(phone, "audit-narrow-dark");
      expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBe(narrow.viewport.width);
    },
    { ...guarded, workerArguments: ["--queues", "reports,payroll"] },
  );
});

test("a token is shown once, pays for calls, and is refused after its removal", async () => {
  await watched(
    ["master"],
    async (stage) => {
      const { address } = stage.cluster;
      await rootOf(stage).people.addUser({ name: "ada", role: "admin", password });
      const page = await openPage(`${address}/tokens`, session);
      await signIn(page, "ada");
      await page.getByRole("button", { name: "Make a token …" }).click();
      await page.getByRole("dialog").getByLabel("Name").fill("ci");
      await page.getByRole("button", { name: "Make the token" }).click();
      const token = await page.locator("[data-secret]").innerText();
      await screenshot(page, "token-once");
      expect(await violations(page)).toEqual([]);
      await page.getByRole("button", { name: "I have it" }).click();
      await page.reload();
      await page.getByRole("row").filter({ hasText: "ci" }).getByText("submitter").waitFor();
      expect(await page.content()).not.toContain(token);
      const use = async () => {
        const headers = { authorization: `Bearer ${token}` };
        return (await fetch(`${address}/v1/session`, { headers })).status;
      };
      expect(await use()).toBe(200);
      await page.getByRole("button", { name: "Remove ci" }).click();
      await page.getByRole("button", { name: "Remove the token" }).click();
      await page.getByText("No token yet").waitFor();
      expect(await use()).toBe(401);
    },
    guarded,
  );
});

/** Adds the first user of an open cluster, with a password that is made in the form. @returns the password as the form shows it */
async function addFirst(page: Page, name: string): Promise<string> {
  await page.getByRole("button", { name: "Add a user …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("The first user is an admin").waitFor();
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Make one" }).click();
  const field = dialog.getByLabel("Password", { exact: true });
  expect(await field.getAttribute("type")).toBe("text");
  await dialog.getByRole("button", { name: "Copy the password" }).waitFor();
  await screenshot(page, "first-user-form");
  const secret = await field.inputValue();
  await dialog.getByRole("button", { name: "Hide the password" }).click();
  expect(await field.getAttribute("type")).toBe("password");
  await dialog.getByRole("button", { name: "Add the user" }).click();
  return secret;
}

const openSession = { ...wide, mayFailToLoad: /\/v1\// };

test("the first user of an open cluster is made in the dashboard, is signed in as such, and changes the password", async () => {
  await watched(["master"], async ({ cluster }) => {
    const page = await openPage(`${cluster.address}/account`, openSession);
    await page.getByText("Nobody needs a credential here").waitFor();
    await page.goto(`${cluster.address}/users`);
    const made = await addFirst(page, "ada");
    const secret = page.locator("[data-secret]");
    expect(await secret.innerText()).toBe(made);
    await page.getByRole("link", { name: "Signed in as ada" }).waitFor();
    // Only whoever says that he has it closes it.
    for (const _ of [1, 2, 3]) await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    expect(await secret.innerText()).toBe(made);
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "first-user-password");
    await page.getByRole("button", { name: "I have it" }).click();
    await page.getByRole("row").filter({ hasText: "ada" }).getByText("admin", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Signed in as ada" }).click();
    const change = async (until: string) => {
      await page.getByLabel("Password until now").fill(until);
      await page.getByLabel("New password").fill("another password");
      await page.getByRole("button", { name: "Change it" }).click();
    };
    await change("not the password");
    await page.getByRole("alert").waitFor();
    await change(made);
    await signInHeading(page).waitFor();
    await signIn(page, "ada", "another password");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
  });
});

test("a password that was made stays until somebody says that he has it, though every call is refused meanwhile", async () => {
  await watched(["master"], async ({ cluster }) => {
    const page = await openPage(`${cluster.address}/users`, openSession);
    await page.getByRole("button", { name: "Add a user …" }).waitFor();
    await page.route("**/v1/session", (route) => route.abort());
    const made = await addFirst(page, "ada");
    const secret = page.locator("[data-secret]");
    await secret.waitFor();
    for (const _ of [1, 2, 3]) await page.waitForResponse((response) => response.status() === 401);
    expect(await secret.innerText()).toBe(made);
    expect(await signInHeading(page).count()).toBe(0);
    await page.unroute("**/v1/session");
    await page.getByRole("button", { name: "I have it" }).click();
    await signIn(page, "ada", made);
    await page.getByRole("row").filter({ hasText: "ada" }).getByText("admin", { exact: true }).waitFor();
  });
});

test("the first token of an open cluster stays until it was taken, can be copied without TLS, and signs this browser in", async () => {
  await watched(["master"], async ({ cluster }) => {
    const page = await openPage(null, openSession);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    // As on a page that came without TLS from another machine.
    await page.addInitScript(() => {
      Object.assign(globalThis, { clipboardOfTheTest: navigator.clipboard });
      Object.defineProperty(navigator, "clipboard", { value: undefined });
    });
    await page.goto(`${cluster.address}/tokens`);
    await page.getByRole("button", { name: "Make a token …" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("root-of-all");
    await page.getByRole("dialog").getByLabel("Role").selectOption("admin");
    await page.getByRole("button", { name: "Make the token" }).click();
    const token = await page.locator("[data-secret]").innerText();
    await page.getByRole("link", { name: "Signed in as root-of-all" }).waitFor();
    await page.getByRole("button", { name: "Copy the secret" }).click();
    const copied = () =>
      page.evaluate(() => (globalThis as unknown as { clipboardOfTheTest: Clipboard }).clipboardOfTheTest.readText());
    await expect.poll(copied).toBe(token);
    await page.getByRole("button", { name: "I have it" }).click();
    await page.getByRole("row").filter({ hasText: "root-of-all" }).waitFor();
  });
});
