/** The checksum of an entry covers each of its fields. */
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Entry } from "./entry.ts";
import { entryCrc } from "./entryCrc.ts";
import type { Nonce } from "./ids.ts";

const entry: Omit<Entry, "crc"> = {
  seq: 7,
  epoch: 2,
  nonce: "n" as Nonce,
  at: 1000,
  format: 1,
  previousCrc: 99,
  body: '[{"ü":1}]',
};

describe("entryCrc", () => {
  test("is the CRC-32 of the header and the body in one text", () => {
    expect(entryCrc(entry)).toBe(crc32('7:2:n:1000:1:99:[{"ü":1}]'));
  });

  test.each([
    ["seq", { seq: 8 }],
    ["epoch", { epoch: 3 }],
    ["nonce", { nonce: "m" as Nonce }],
    ["at", { at: 1001 }],
    ["format", { format: 2 }],
    ["previousCrc", { previousCrc: 98 }],
    ["body", { body: "[]" }],
  ])("changes with %s", (_field, change) => {
    expect(entryCrc({ ...entry, ...change })).not.toBe(entryCrc(entry));
  });
});
