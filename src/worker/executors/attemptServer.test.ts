/** What commands may say to their worker, and who may say it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import type { AttemptContent } from "../../model/protocol.ts";
import { AttemptOver, type AttemptSession } from "../../ports/work.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { sessionThatEnds } from "../../proof/fakes/sessions.ts";
import { AttemptServer } from "./attemptServer.ts";

let folder: string;
let server: AttemptServer;
let said: AttemptContent[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "outlast-socket-"));
  // What a killed process has left in its place.
  writeFileSync(join(folder, "s"), "");
  server = new AttemptServer({ path: join(folder, "s"), isForOthers: false }, new FakeClock());
  await server.open();
  said = [];
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function admit(more: Partial<AttemptSession> = {}) {
  const session = sessionThatEnds(
    () => {},
    (content) => void said.push(content),
  );
  return server.admit({ ...session, ...more });
}

async function ask(token: string | undefined, asked: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const outgoing = request({ socketPath: join(folder, "s"), path: "/", method: "POST", headers }, (answer) => {
      let text = "";
      answer.on("data", (piece: Buffer) => {
        text += piece.toString();
      });
      answer.on("end", () => resolve(JSON.parse(text)));
    });
    outgoing.on("error", reject);
    outgoing.end(typeof asked === "string" ? asked : JSON.stringify(asked));
  });
}

const tokenOf = ({ environment }: { readonly environment: { readonly [name: string]: string } }) =>
  environment["OUTLAST_ATTEMPT_TOKEN"];

test("steps, children and progress go to the session of the attempt whose token it is", async () => {
  const token = tokenOf(admit());
  expect(await ask(token, { kind: "step", key: "k", value: { output: "x" } })).toEqual({ kind: "done" });
  const submission = { kind: "sleep", input: { seconds: 1 } };
  expect(await ask(token, { kind: "child", key: "c", submission })).toEqual({ kind: "done" });
  await ask(token, { kind: "progress", done: 3, total: 10 });
  await ask(token, { kind: "progress", text: "nearly" });
  expect(said).toMatchObject([
    { kind: "step", key: "k", value: { output: "x" } },
    { kind: "children", key: "c", first: 0, submissions: [submission], isLast: true },
    { kind: "progress", done: 3, total: 10 },
    { kind: "progress", done: 3, total: 10, text: "nearly" },
  ]);
});

test("a remembered step is found on any page", async () => {
  const pages = [
    { steps: [{ key: "a", step: { value: 1 } }], next: "a" },
    { steps: [{ key: "b", step: { value: 2 } }], next: null },
  ];
  const token = tokenOf(admit({ readSteps: async (after) => pages[after === null ? 0 : 1]! }));
  expect(await ask(token, { kind: "find-step", key: "b" })).toEqual({ kind: "step", value: 2 });
  expect(await ask(token, { kind: "find-step", key: "c" })).toEqual({ kind: "step" });
});

test("another's token, a made-up one, and one whose attempt is over are refused", async () => {
  const mine = admit();
  const other = admit();
  other.end();
  for (const token of [undefined, "", "0".repeat(32), tokenOf(other)]) {
    expect(await ask(token, { kind: "step", key: "k", value: 1 })).toMatchObject({
      kind: "refused",
      code: "unauthorized",
    });
  }
  mine.end();
  expect(await ask(tokenOf(mine), { kind: "progress", done: 1 })).toMatchObject({ code: "unauthorized" });
  expect(said).toEqual([]);
});

test("what is wrong is refused in words, and the server goes on", async () => {
  const token = tokenOf(admit());
  for (const bad of [
    "{",
    "null",
    "[]",
    { kind: "cancel" },
    { kind: "child", key: "k", submission: { kind: 1 } },
    "x".repeat(limits.bodyBytesMax + 1),
  ]) {
    expect(await ask(token, bad)).toMatchObject({ kind: "refused", message: expect.stringMatching(/./) as string });
  }
  const over = admit({ readSteps: () => Promise.reject(new AttemptOver()) });
  expect(await ask(tokenOf(over), { kind: "find-step", key: "k" })).toMatchObject({ code: "stale" });
  const refusing = admit({ send: async () => ({ verdict: "refused", code: "conflict", message: "Other children." }) });
  expect(await ask(tokenOf(refusing), { kind: "step", key: "k", value: 1 })).toMatchObject({ code: "conflict" });
  expect(await ask(token, { kind: "progress", done: 1 })).toEqual({ kind: "done" });
});
