/** The log of a task: followed over a retry, with colours, and whatever stands in it stays text. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { narrow, openPage, screenshot, watched } from "./browser.ts";

/** The first attempt fails when `go` is there, the second one ends well. */
function twoAttempts(directory: string): string[] {
  const script = `
    n=$(cat ${directory}/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > ${directory}/n
    printf '\\033[31mred\\033[0m attempt %s <img src=x onerror="document.title=1"> \\033]8;;javascript:alert(1)\\033\\\\link\\033]8;;\\033\\\\\\n' $n
    while [ $n = 1 ] && [ ! -e ${directory}/go ]; do sleep 0.1; done
    [ $n = 2 ]`;
  return ["sh", "-c", script];
}

test("a log is followed over a retry; colours are colours, and markup is text", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, directory }) => {
    const id = "retried";
    const name = `<b>bold</b> "quoted" &amp; [31m`;
    const input = { command: twoAttempts(directory) };
    await client.submit({ id, name, kind: "exec", input, attemptsMax: 2, backoffBaseMs: 10 });
    const page = await openPage(`${cluster.address}/tasks/${id}`);
    const log = page.getByRole("log");
    await log.getByText("attempt 1 <img").waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Follow", pressed: true }).waitFor();
    writeFileSync(join(directory, "go"), "");

    await log.getByText("attempt 2 <img").waitFor();
    await page.getByText("complete", { exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Follow" }).count()).toBe(0);
    await log.getByText("Attempt 2", { exact: true }).waitFor();
    expect(await log.getByText("attempt 1 <img").count()).toBe(1);
    const red = await log
      .getByText("red", { exact: true })
      .first()
      .evaluate((element) => getComputedStyle(element).color);
    const plain = await log.evaluate((element) => getComputedStyle(element).color);
    expect(red).not.toBe(plain);
    expect(await page.locator("img").count()).toBe(0);
    expect(await log.locator("a").count()).toBe(0);
    expect(await page.title()).not.toBe("1");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(name);

    await page.getByRole("searchbox", { name: "Search the log" }).fill("attempt 2");
    await page.getByText("1 of 1", { exact: true }).waitFor();
    expect(await log.locator("mark").allTextContents()).toEqual(["attempt 2"]);
  });
});

test("a log without a line is small, so that what follows is seen", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client }) => {
    await client.submit({ id: "silent", kind: "exec", input: { command: ["sleep", "600"] } });
    const page = await openPage(`${cluster.address}/tasks/silent`, narrow);
    const log = page.getByRole("log");
    await log.getByText("Nothing has been written yet.").waitFor();
    expect((await log.boundingBox())?.height).toBeLessThan(100);
    await client.cancel("silent");
    await log.getByText("The attempt wrote nothing.").waitFor();
    expect((await log.boundingBox())?.height).toBeLessThan(100);
    await screenshot(page, "log-empty-narrow");
  });
});

test("a log of one line is as high as that, and six digits of a line's number keep clear of the edge", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client }) => {
    await client.submit({ id: "short", kind: "exec", input: { command: ["echo", "one line"] } });
    await client.submit({ id: "long", kind: "exec", input: { command: ["seq", "100001"] } });
    for (const id of ["short", "long"]) await client.wait(id);
    const page = await openPage(`${cluster.address}/tasks/short`);
    const log = page.getByRole("log");
    await log.getByText("one line").waitFor();
    await page.getByText("complete", { exact: true }).waitFor();
    expect((await log.boundingBox())?.height).toBeLessThan(100);

    await page.goto(`${cluster.address}/tasks/long`);
    const number = log.getByText("100001", { exact: true }).first();
    await number.waitFor();
    const edge = (await log.boundingBox())!;
    expect(edge.height).toBeLessThan(500);
    expect((await number.boundingBox())!.x - edge.x).toBeGreaterThan(10);
    await screenshot(page, "log-long");
  });
});
