/** What pages say: numbers agree with their words, buttons name what they are for, and addresses that lead nowhere are told plainly. */
import { expect, test } from "vitest";
import { openPage, watched } from "./browser.ts";

const nap = { kind: "sleep", input: { seconds: 0 } } as const;

test("one of a thing is called one, and each button for a queue or a worker names it", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, until }) => {
    await client.submit({ id: "one", kind: "graph", input: { tasks: { only: { ...nap, queue: "nobody" } } } });
    await client.submit({ id: "done", kind: "graph", input: { tasks: { only: nap } } });
    await client.cancel("one");
    await client.wait("done");
    const page = await openPage(`${cluster.address}/tasks/one`);
    await page.getByRole("button", { name: "Retry …" }).click();
    await page.getByText("1 cancelled node runs again. What has succeeded stays.").waitFor();

    await page.goto(`${cluster.address}/queues`);
    await page.getByRole("button", { name: "Pause nobody", exact: true }).click();
    await page.getByRole("button", { name: "Resume nobody", exact: true }).waitFor();
    await page.goto(`${cluster.address}/workers`);
    await page.getByText("1 connected, 0 of 1 slot in use").waitFor();
    await page.getByRole("button", { name: "Drain worker-1", exact: true }).waitFor();

    // What is short stands on the same line as what is beside it.
    await client.submit({ ...nap, id: "s", name: "a short id", queue: "nobody" });
    await page.goto(`${cluster.address}/tasks`);
    const boxes = [page.getByRole("link", { name: "a short id" }), page.getByTitle("s", { exact: true })];
    const [name, id] = await Promise.all(boxes.map((each) => each.boundingBox()));
    expect(Math.abs((name?.y ?? 0) + (name?.height ?? 0) - (id?.y ?? 0) - (id?.height ?? 0))).toBeLessThan(4);

    // A graph ends well too, without an attempt of its own.
    await page.goto(cluster.address);
    await until("both to be counted", async () => {
      const points = await page.request.get(`${cluster.address}/v1/history?resolution=second`);
      const all = ((await points.json()) as { points: { started: number; succeeded: number }[] }).points;
      return all.reduce((sum, { succeeded }) => sum + succeeded, 0) === 2;
    });
    await page.getByText("starts and ends per second").waitFor();
    await page.getByRole("img", { name: "Starts and ends per second" }).waitFor();
  });
});

test("an address with an id that no task can have, or with an attempt that there was not, is told plainly", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client }) => {
    await client.submit({ ...nap, id: "once" });
    await client.wait("once");
    const page = await openPage(null, { viewport: { width: 1280, height: 800 }, mayFailToLoad: /a%2Fb|nothing/ });
    for (const rest of ["", "/graph", "/family", "/timeline", "/map-reduce"]) {
      await page.goto(`${cluster.address}/tasks/a%2Fb${rest}`);
      await page.getByRole("heading", { level: 1, name: "Unknown task" }).waitFor();
      await page.getByText("No task can have the id in this address").waitFor();
      expect([rest, await page.getByText("^[").count()]).toEqual([rest, 0]);
      await page.goto(`${cluster.address}/tasks/nothing${rest}`);
      await page.getByText("There is no task nothing.").waitFor();
      await page.getByRole("link", { name: "See the tasks that there are" }).waitFor();
    }

    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`${cluster.address}/tasks/once?attempt=99`);
    await page.getByText("There is no attempt 99: the task has had 1 attempt.").waitFor();
    expect(asked.filter((url) => url.includes("/logs"))).toEqual([]);
    await page.getByRole("link", { name: "The log of attempt 1" }).click();
    await page.getByText("The attempt wrote nothing.").waitFor();
  });
});
