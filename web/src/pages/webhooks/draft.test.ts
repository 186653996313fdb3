/** What the fields of a webhook's form hold, and what comes of them. */
import { expect, test } from "vitest";
import { UnreadableField } from "../../parts/fieldTexts.ts";
import { type Content, draftOf, randomSecret, webhookOf } from "./draft.ts";

const url = "https://example.com/hooks";

test("a webhook that is opened and saved as it was says the same", () => {
  const contents: Content[] = [
    { url },
    { url, description: "for <oncall>", on: ["failure", "late", "alarm"], lateMs: 90_000 },
    { url, states: ["failed", "skipped"], queues: ["reports", "etl-*"], templates: ["nightly*"] },
    { url, on: ["end", "failure"], names: ["report of May, June", "nightly *"] },
  ];
  for (const content of contents) expect(webhookOf(draftOf(content))).toEqual(content);
});

test("a new webhook is told of failures, and filters that cannot matter are left out", () => {
  const fresh = { ...draftOf(null), url };
  expect(webhookOf(fresh)).toEqual({ url, on: ["failure"] });
  expect(webhookOf({ ...fresh, states: new Set(["failed"]), late: "2h" })).toEqual({ url, on: ["failure"] });
  expect(webhookOf({ ...fresh, on: new Set(["late"]), late: "2h" })).toEqual({ url, on: ["late"], lateMs: 7_200_000 });
  expect(webhookOf({ ...fresh, secret: "whsec_x" })).toMatchObject({ secret: "whsec_x" });
});

test("nothing chosen and an unreadable duration are said before anything is sent", () => {
  const fresh = { ...draftOf(null), url };
  for (const wrong of [
    { on: new Set<never>() },
    { on: new Set(["end"] as const), states: new Set<never>() },
    { on: new Set(["late"] as const), late: "soon" },
  ])
    expect(() => webhookOf({ ...fresh, ...wrong })).toThrow(UnreadableField);
});

test("a secret that is made here is what masters take, and no other one", () => {
  const secret = randomSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+={0,2}$/);
  expect(atob(secret.slice("whsec_".length))).toHaveLength(32);
  expect(randomSecret()).not.toBe(secret);
});
