/** The files of a task on its page: those that it was given, and those that it has left, saved as they are. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, rootOf, rootToken } from "./guarded.ts";

/** What the browser saves after a click on a link. */
async function saved(page: Page, name: string): Promise<string> {
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name, exact: true }).click();
  return readFileSync(await (await coming).path(), "utf8");
}

test("whoever signed in with a token gets what the browser opens by itself: log, JSON, files and artifacts", async () => {
  await watched(
    ["master", "worker-1"],
    async (play) => {
      const root = rootOf(play);
      const { sha256 } = await root.blobs.put("a\nb\n");
      const input = {
        command: ["tr a-z A-Z < in.csv | tee out.csv"],
        shell: true,
        files: { "in.csv": `sha256:${sha256}` },
      };
      await root.submit({ id: "t", kind: "exec", input: { ...input, artifacts: ["out.csv"] } });
      await play.until("the task to end", async () => (await root.get("t")).state === "success");
      const { token } = await root.people.addToken({ name: "vera", role: "viewer" });
      for (const secret of [token, rootToken]) {
        const page = await openPage(`${play.cluster.address}/tasks/t`, { ...wide, mayFailToLoad: /session|events/ });
        await page.getByRole("button", { name: "Token" }).click();
        await page.getByLabel("Token", { exact: true }).fill(secret);
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
        await page.getByRole("table", { name: "Artifacts" }).waitFor();
        expect(await saved(page, "in.csv")).toBe("a\nb\n");
        expect(await saved(page, "out.csv")).toBe("A\nB\n");
        for (const [link, content] of [
          ["Raw", "A"],
          ["JSON", '"id":"t"'],
        ] as const) {
          const coming = page.context().waitForEvent("page");
          await page.getByRole("link", { name: link, exact: true }).click();
          const tab = await coming;
          await tab.getByText(content).first().waitFor();
          await tab.close();
        }
      }
    },
    guarded,
  );
});

test("files and artifacts are listed and saved, and what looks like a page is not shown as one", async () => {
  await watched(["master", "worker-1"], async (play) => {
    const { cluster, client } = play;
    const { sha256 } = await client.blobs.put("a\nb\n");
    const files = { "in/data.csv": `sha256:${sha256}` };
    const line =
      "mkdir out; tr a-z A-Z < in/data.csv > out/upper.csv; echo '<script>document.title=1</script>' > 'out/<b>.html'";
    await client.submit({
      id: "t",
      kind: "exec",
      input: { command: [line], shell: true, files, artifacts: ["out/**"] },
    });
    await play.success("t");
    const page = await openPage(`${cluster.address}/tasks/t`);
    const save = async (name: string): Promise<string> => {
      const coming = page.waitForEvent("download");
      await page.getByRole("link", { name, exact: true }).click();
      const download = await coming;
      expect(download.suggestedFilename()).not.toContain("/");
      return readFileSync(await download.path(), "utf8");
    };
    await page.getByRole("table", { name: "Artifacts" }).waitFor();
    expect(await page.getByRole("table", { name: "Artifacts" }).getByRole("link").allTextContents()).toEqual([
      "out/<b>.html",
      "out/upper.csv",
    ]);
    expect(await save("out/upper.csv")).toBe("A\nB\n");
    expect(await save("out/<b>.html")).toContain("<script>");
    expect(await save("in/data.csv")).toBe("a\nb\n");
    expect(page.url()).toBe(`${cluster.address}/tasks/t`);
    expect(await page.title()).not.toBe("1");
    for (const [look, screen] of Object.entries({ wide: {}, narrow })) {
      const shown = await openPage(`${cluster.address}/tasks/t`, screen);
      await shown.getByRole("table", { name: "Artifacts" }).waitFor();
      await screenshot(shown, `files-${look}`);
    }
  });
});
