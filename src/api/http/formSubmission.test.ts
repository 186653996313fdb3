/** Tasks that come with their files in one form, and forms that are not what they should be. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "./server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;
let url: string;

beforeEach(async () => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
  url = `${await api.listen({ address: "127.0.0.1", port: 0 })}/v1/tasks/form`;
});
afterEach(() => api.close());

const task = JSON.stringify({ id: "t", kind: "exec", input: { command: ["wc", "in/data.csv"] } });

function form(parts: readonly (readonly [string, string | Blob])[]): FormData {
  const made = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === "string") made.append(name, value);
    else made.append(name, value, "../../etc/passwd");
  }
  return made;
}

async function post(parts: readonly (readonly [string, string | Blob])[]) {
  const answer = await fetch(url, { method: "POST", body: form(parts) });
  return {
    status: answer.status,
    body: (await answer.json()) as { error?: { code: string; message: string; hint?: string } },
  };
}

const file = (text: string) => new Blob([text]);

test.each(["before", "behind"])("files %s the task are uploaded and named in its input", async (where) => {
  const files = [["in/data.csv", file("1,2\n")] as const, ["empty", file("")] as const];
  const parts = where === "before" ? [...files, ["task", task] as const] : [["task", task] as const, ...files];
  expect((await post(parts)).status).toBe(201);
  const [made] = master.tasks.values();
  const input = made?.input as { files: { [name: string]: string } };
  expect(Object.keys(input.files).sort()).toEqual(["empty", "in/data.csv"]);
  const content = master.blobs.contents.get(input.files["in/data.csv"]?.slice("sha256:".length) ?? "");
  expect(String(content)).toBe("1,2\n");
});

test("the task may be a file, and a file of the folder may be called so", async () => {
  expect((await post([["task", file(task)]])).status).toBe(201);
  const other = task.replace('"t"', '"u"');
  expect(
    (
      await post([
        ["in/data.csv", file("1\n")],
        ["task", file(other)],
        ["task", file("x")],
      ])
    ).status,
  ).toBe(201);
  const made = [...master.tasks.values()].map(({ input }) =>
    Object.keys((input as { files?: object }).files ?? {}).sort(),
  );
  expect(made).toEqual([[], ["in/data.csv", "task"]]);
});

test("a task that cannot be read is told as the field that it is", async () => {
  const broken = await post([["task", '{"kind":']]);
  expect(broken.body.error?.message).toBe("The field `task` is not valid JSON.");
  // What curl -F makes of a command with a semicolon.
  expect(broken.body.error?.hint).toContain("--form-string");
  const large = await post([["task", '{"kind":1e400}']]);
  expect(large.body.error?.message).toBe("The field `task`: A number is too large to be exact.");
  const long = await post([["task", file(" ".repeat(limits.bodyBytesMax + 1))]]);
  expect([long.status, long.body.error?.message]).toEqual([413, "The field `task` is too long."]);
});

test("a form without files is a task, too", async () => {
  expect((await post([["task", task]])).status).toBe(201);
});

test.each([
  ["no task", [["f", file("x")]], "bad-request"],
  [
    "another field",
    [
      ["task", task],
      ["note", "x"],
    ],
    "bad-request",
  ],
  [
    "a field behind a file of its name",
    [
      ["task", file(task)],
      ["task", task],
    ],
    "bad-request",
  ],
  ["a task that is no JSON", [["task", "{"]], "bad-json"],
  ["a task that is none", [["task", "[]"]], "invalid"],
  [
    "a file above the folder",
    [
      ["task", task],
      ["../x", file("x")],
    ],
    "invalid",
  ],
  [
    "two files of one name",
    [
      ["task", task],
      ["x", file("one")],
      ["x", file("two")],
    ],
    "bad-request",
  ],
  [
    "too many files",
    [["task", task], ...Array.from({ length: limits.execFilesMax + 1 }, (_, n) => [`f${n}`, file("x")])],
    "bad-request",
  ],
] as [string, [string, string | Blob][], string][])("%s is refused, and no task is made", async (_, parts, code) => {
  const { body } = await post(parts);
  expect(body.error?.code).toBe(code);
  expect(master.tasks.size).toBe(0);
});

test.each([
  ["application/json", task, 415],
  ["multipart/form-data", "x", 415],
  ["multipart/form-data; charset=x", "x", 400],
  ["multipart/form-data; boundary=x", "nothing of a form", 400],
  [
    "multipart/form-data; boundary=x",
    '--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\nbreaks off',
    400,
  ],
])("%s with %s is refused", async (type, body, status) => {
  const answer = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
  expect(answer.status).toBe(status);
  expect(master.tasks.size).toBe(0);
});

test("a disk that is full in the middle is told", async () => {
  const { OutlastError } = await import("../../model/errors.ts");
  master.blobs.put = async (content) => {
    for await (const _ of content) throw new OutlastError("storage-full", "There is no room.");
    throw new Error("There was no content.");
  };
  const { status, body } = await post([
    ["task", task],
    ["f", file("x".repeat(3_000_000))],
  ]);
  expect([status, body.error?.code]).toEqual([507, "storage-full"]);
});
