/** The page about the API shows every call: the list of access, which is checked against the routes, says which there are. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const docs = new URL("../../../docs/", import.meta.url);
const read = (page: string): string => readFileSync(new URL(page, docs), "utf8");

/** Calls of pages of their own, and those that workers make for the attempts that they run. */
const elsewhere = /^\/v1\/(webhooks|objects|workers\/:id\/(steps|children))/;

test("docs/api.md shows every call", () => {
  const page = read("api.md");
  const paths = [...read("access.md").matchAll(/^\| `[A-Z]+ (\/[^`]*)`/gm)].map(([, path = ""]) => path);
  expect(paths.length).toBeGreaterThan(50);
  const missing = paths.filter((path) => {
    const shown = path.replace(/:[a-z]+/gi, "[^/\\s\"'`?]+");
    return !elsewhere.test(path) && !new RegExp(`${shown}(?=[\\s"'\`?,;)]|$)`, "m").test(page);
  });
  expect(missing).toEqual([]);
});
