/** A probe tells a dead process from a living one, by a real port. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { BootId } from "../model/ids.ts";
import { openProbePort, probe, probeBoot } from "./probe.ts";

const boot = "boot-1" as BootId;

test("a living process is connected, a dead one refused", async () => {
  const port = await openProbePort("127.0.0.1", boot);
  expect(await probe("127.0.0.1", port.port)).toBe("connected");
  expect(await probeBoot("127.0.0.1", port.port, boot)).toBe("connected");
  expect(await probeBoot("127.0.0.1", port.port, boot)).toBe("connected");
  await port.close();
  expect(await probeBoot("127.0.0.1", port.port, boot)).toBe("refused");
  expect(await probe("127.0.0.1", port.port)).toBe("refused");
});

test("somebody else at the port is not who was looked for", async () => {
  const port = await openProbePort("127.0.0.1", boot);
  for (const other of ["boot-2", "boot-11", "boot"])
    expect(await probeBoot("127.0.0.1", port.port, other as BootId)).toBe("unknown");
  await port.close();
});

test("a caller that talks is hung up on, and its socket let go", async () => {
  const port = await openProbePort("127.0.0.1", boot);
  const caller = connect({ host: "127.0.0.1", port: port.port, allowHalfOpen: true });
  caller.on("error", () => undefined);
  caller.write("hello?\n");
  // It never hangs up itself. Were its socket kept, the port would not close.
  await once(caller, "connect");
  await once(caller.resume(), "end");
  await port.close();
  caller.destroy();
});

test("what cannot be asked is unknown", async () => {
  expect(await probe("no-such-host.invalid", 80)).toBe("unknown");
});

test("an address that is not of this machine is an error when opened", async () => {
  await expect(openProbePort("192.0.2.1", boot)).rejects.toThrow();
});
