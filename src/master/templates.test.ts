/** Templates over a whole master and its store: versions, runs, removal, a second master that takes over. */
import { afterEach, expect, test } from "vitest";
import { SystemIds } from "../node/ids.ts";
import { startSoloMaster } from "../proof/fakes/soloMaster.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import type { Master } from "./master.ts";

const masters: Master[] = [];

afterEach(async () => {
  for (const master of masters.splice(0)) await master.stop();
});

async function startMaster(store = new MemoryStore({ ids: new SystemIds() }), name = "m1"): Promise<Master> {
  const master = await startSoloMaster({ store, name });
  masters.push(master);
  return master;
}

const content = (word: string) => ({
  variables: { n: { type: "integer", default: 1 } },
  task: { kind: "exec", input: { command: [word, "${n}"] } },
});

test("a changed content is a new version, the same is none, and old versions stay readable", async () => {
  const { templates } = (await startMaster()).service;
  expect(await templates.put("count", content("seq"))).toEqual({ name: "count", version: 1, isNew: true });
  // The order of keys says nothing.
  const { task, variables } = content("seq");
  expect(await templates.put("count", { task, variables })).toEqual({ name: "count", version: 1, isNew: false });
  expect(await templates.put("count", content("echo"))).toMatchObject({ version: 2, isNew: true });
  expect(await templates.put("count", content("seq"))).toMatchObject({ version: 3, isNew: true });
  expect((await templates.read("count", null)).version).toBe(3);
  expect(await templates.read("count", 2)).toMatchObject({ name: "count", version: 2, task: content("echo").task });
  const page = await templates.versions("count", null, 2);
  expect(page.versions.map(({ version }) => version)).toEqual([1, 2]);
  expect((await templates.versions("count", page.cursor, 2)).versions.map(({ version }) => version)).toEqual([3]);
  await expect(templates.read("count", 4)).rejects.toMatchObject({ code: "not-found" });
});

test("versions of one name are not those of a name that begins alike", async () => {
  const { templates } = (await startMaster()).service;
  await templates.put("a", content("one"));
  await templates.put("ab", content("two"));
  await templates.put("a:b", content("three"));
  expect((await templates.versions("a", null, 10)).versions).toHaveLength(1);
});

test("a task remembers its template, version and variables", async () => {
  const { service } = await startMaster();
  await service.templates.put("count", content("seq"));
  const { id } = await service.templates.run("count", { variables: { n: 5 }, name: "five" }, null);
  expect(await service.readTask(id)).toMatchObject({
    name: "five",
    input: { command: ["seq", 5].map(String) },
    origin: { template: "count", version: 1, variables: { n: 5 } },
  });
});

test("a repeated run is one task, also when the template has changed or is gone", async () => {
  const { templates } = (await startMaster()).service;
  await templates.put("count", content("seq"));
  const wish = { variables: { n: 5 }, id: "five" };
  expect(await templates.run("count", wish, null)).toEqual({ id: "five", isNew: true });
  const keyed = await templates.run("count", {}, "key");
  await templates.put("count", content("echo"));
  expect(await templates.run("count", wish, null)).toEqual({ id: "five", isNew: false });
  await templates.remove("count");
  expect(await templates.run("count", wish, null)).toEqual({ id: "five", isNew: false });
  expect(await templates.run("count", {}, "key")).toEqual({ id: keyed.id, isNew: false });
  await expect(templates.run("count", {}, "another")).rejects.toMatchObject({ code: "not-found" });
});

test("one id for two different runs is a conflict", async () => {
  const { templates } = (await startMaster()).service;
  await templates.put("count", content("seq"));
  await templates.run("count", { id: "a" }, null);
  await expect(templates.run("count", { id: "a", variables: { n: 2 } }, null)).rejects.toMatchObject({
    code: "conflict",
  });
});

test("a removed template is not listed and not run, and a new one of its name counts on", async () => {
  const { templates } = (await startMaster()).service;
  await templates.put("count", content("seq"));
  await templates.put("other", content("seq"));
  await templates.remove("count");
  expect((await templates.list(null, 10)).templates.map(({ name }) => name)).toEqual(["other"]);
  await expect(templates.read("count", null)).rejects.toMatchObject({ code: "not-found" });
  await expect(templates.remove("count")).rejects.toMatchObject({ code: "not-found" });
  expect((await templates.read("count", 1)).version).toBe(1);
  expect(await templates.put("count", content("seq"))).toMatchObject({ version: 2, isNew: true });
});

test("a master that takes over knows templates and goes on counting", async () => {
  const store = new MemoryStore({ ids: new SystemIds() });
  const first = await startMaster(store);
  await first.service.templates.put("count", content("seq"));
  await first.service.templates.remove("count");
  await first.service.templates.put("count", content("echo"));
  await first.stop();
  const { service } = await startMaster(store, "m2");
  expect(await service.templates.put("count", content("echo"))).toMatchObject({ version: 2, isNew: false });
  expect(await service.templates.put("count", content("seq"))).toMatchObject({ version: 3 });
  const { id } = await service.templates.run("count", {}, null);
  expect((await service.readTask(id))?.origin).toMatchObject({ version: 3 });
});

test("a line for a shell is stored as earlier versions write it, and is the same content", async () => {
  const { templates } = (await startMaster()).service;
  const task = (command: string | string[]) => ({ task: { kind: "exec", input: { command, shell: true } } });
  await templates.put("line", task("echo x"));
  expect((await templates.read("line", null)).task).toEqual(task(["echo x"]).task);
  expect(await templates.put("line", task(["echo x"]))).toMatchObject({ version: 1, isNew: false });
});

test("a list still stands in the place of a command that is one placeholder", async () => {
  const { service } = await startMaster();
  const variables = { words: { type: "json" } };
  await service.templates.put("any", { variables, task: { kind: "exec", input: { command: "${words}" } } });
  const { id } = await service.templates.run("any", { variables: { words: ["echo", "x"] } }, null);
  expect((await service.readTask(id))?.input).toEqual({ command: ["echo", "x"] });
});
