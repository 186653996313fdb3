/** What is taken for the address of a master. */
import { expect, test } from "vitest";
import { toBaseUrl } from "./connection.ts";
import { masterAddress } from "./masterAddress.ts";

test.each([
  ["http://127.0.0.1:7070", "http://127.0.0.1:7070"],
  [" HTTP://Box:8080// ", "http://box:8080"],
  ["https://box/outlast/", "https://box/outlast"],
  ["http://box", "http://box"],
  ["127.0.0.1", "http://127.0.0.1:7070"],
  ["box:8080", "http://box:8080"],
  ["box:80", "http://box"],
  ["box/outlast", "http://box:7070/outlast"],
  ["[::1]", "http://[::1]:7070"],
  ["[::1]:80", "http://[::1]"],
])("%j is %j", (text, url) => {
  expect(masterAddress(text)).toBe(url);
  expect(toBaseUrl(text)).toBe(url);
});

test.each([
  "",
  "htp://x",
  "ftp://box:7070",
  "htp:x",
  "http://",
  "box:",
  "box:99999",
  "a b",
  "http://u:p@box",
  "http://box?x=1",
])("%j is refused", (text) => {
  expect(masterAddress(text)).toBeNull();
  expect(() => toBaseUrl(text)).toThrow(/is not the address of a master/);
});
