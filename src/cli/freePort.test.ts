/** Ports that are found one after the other, before anybody listens there. */
import { expect, test, vi } from "vitest";
import { findFreePort, findFreePorts } from "./freePort.ts";

test("a port is not found again before whoever asked for it can listen there", async () => {
  const chance = vi.spyOn(Math, "random").mockReturnValue(0.5);
  try {
    const ports = [await findFreePort(), await findFreePort(), await findFreePort()];
    expect(new Set(ports).size).toBe(3);
  } finally {
    chance.mockRestore();
  }
});

test("as many are found as a large cluster needs", async () => {
  expect(new Set(await findFreePorts(300)).size).toBe(300);
});
