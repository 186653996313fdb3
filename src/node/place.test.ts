/** The name of a place: the same for the same port, another one for another port. */
import { expect, test } from "vitest";
import { placeOf } from "./place.ts";

test("names a port of this machine alike each time, and apart from other ports", () => {
  const place = placeOf("127.0.0.1", 7070);
  expect(place).toMatch(/^[0-9a-f]{12}$/);
  expect(placeOf("127.0.0.1", 7070)).toBe(place);
  expect(placeOf("127.0.0.1", 7071)).not.toBe(place);
  expect(placeOf("0.0.0.0", 7070)).not.toBe(place);
});
