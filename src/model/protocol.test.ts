/** Which version of the worker protocol two sides agree on. */
import { expect, test } from "vitest";
import { negotiateProtocol, protocolVersions } from "./protocol.ts";

const { min, max } = protocolVersions;

test("the highest version that both sides know", () => {
  expect(negotiateProtocol({ protocol: min })).toBe(min);
  expect(negotiateProtocol({ protocol: min, protocolMin: min, protocolMax: max })).toBe(max);
  expect(negotiateProtocol({ protocol: min, protocolMin: min, protocolMax: max + 5 })).toBe(max);
  expect(negotiateProtocol({ protocol: max, protocolMin: max, protocolMax: max + 1 })).toBe(max);
});

test("none where the ranges do not meet", () => {
  expect(negotiateProtocol({ protocol: max + 1 })).toBeNull();
  expect(negotiateProtocol({ protocol: max + 1, protocolMin: max + 1, protocolMax: max + 2 })).toBeNull();
  expect(negotiateProtocol({ protocol: 0, protocolMin: 0, protocolMax: min - 1 })).toBeNull();
});
