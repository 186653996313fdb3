/** The files of a task on its page: those that it was given, and those that it has left, saved as they are. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { narrow, openPage, screenshot, watched } from "./browser.ts";

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
