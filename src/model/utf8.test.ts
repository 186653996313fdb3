/** Compared with what Node itself makes of each text. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8Bytes } from "./utf8.ts";

test("as many bytes as the text has in UTF-8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
    }),
  );
});
