/** A probe tells a dead process from a living one, by a real port. */
import { expect, test } from "vitest";
import { openProbePort, probe } from "./probe.ts";

test("a living process is connected, a dead one refused", async () => {
  const port = await openProbePort("127.0.0.1");
  expect(await probe("127.0.0.1", port.port)).toBe("connected");
  expect(await probe("127.0.0.1", port.port)).toBe("connected");
  await port.close();
  expect(await probe("127.0.0.1", port.port)).toBe("refused");
});

test("what cannot be asked is unknown", async () => {
  expect(await probe("no-such-host.invalid", 80)).toBe("unknown");
});

test("an address that is not of this machine is an error when opened", async () => {
  await expect(openProbePort("192.0.2.1")).rejects.toThrow();
});
