/** An attempt that is over while its process still ends, beside the next attempt of its task: both are seen. */
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { openPage, screenshot, watched } from "./browser.ts";

test("an attempt whose worker was given up and is back is seen beside its successor until its process has ended", async () => {
  await watched(["master", "worker-1", "worker-2"], async ({ cluster, client, until }) => {
    const command = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"];
    await client.submit({ id: "stubborn", kind: "exec", input: { command } });
    const runs = async (attempt: number) => {
      const task = await client.get("stubborn");
      return task.state === "running" && task.attempt === attempt && task.startedAt !== 0;
    };
    await until("it to run", () => runs(1));
    const first = (await client.get("stubborn")).host ?? "";
    const page = await openPage(`${cluster.address}/tasks/stubborn`);
    const timeline = await openPage(`${cluster.address}/tasks/stubborn/timeline`);
    await page.getByRole("table", { name: "Attempts", exact: true }).waitFor();
    cluster.signal(first, "SIGSTOP");
    await until("it to run elsewhere", () => runs(2));
    cluster.signal(first, "SIGCONT");
    const dying = async () => (await client.workers()).flatMap((worker) => worker.dying ?? []);
    await until("the first one to be ending", async () => (await dying()).length > 0);
    expect(await dying()).toEqual([{ task: "stubborn", attempt: 1 }]);
    await page.getByText("its process may still be ending").waitFor();
    await screenshot(page, "task-overlap");
    await screenshot(timeline, "timeline-overlap");
    await until("the first one to be gone", async () => (await dying()).length === 0);
    await page.getByText("its process may still be ending").waitFor({ state: "detached" });
    const past = /^\s*its process ended .* later, beside attempt 2$/;
    await page.getByText(past).waitFor();
    await timeline.getByRole("table", { name: "Attempts" }).getByText(past).waitFor();
    await screenshot(page, "task-overlap-past");
    await screenshot(timeline, "timeline-overlap-past");
    expect(await violations(timeline)).toEqual([]);
    await client.cancel("stubborn");
  });
});

test("a task that was cancelled says how much later its process ended, also after its only attempt", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, until }) => {
    const command = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"];
    await client.submit({ id: "held", kind: "exec", input: { command } });
    await until("it to run", async () => (await client.get("held")).startedAt !== undefined);
    const page = await openPage(`${cluster.address}/tasks/held`);
    await client.cancel("held");
    const text = /^\s*its process ended .* later$/;
    await page.getByRole("table", { name: "Attempts" }).getByText(text).waitFor();
    const timeline = await openPage(`${cluster.address}/tasks/held/timeline`);
    await timeline.getByRole("table", { name: "Attempts" }).getByText(text).waitFor();
    await screenshot(timeline, "timeline-cancelled");
  });
});
