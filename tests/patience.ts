/** Before every test file: what is waited for may take long on a busy machine, and says so by a limit of its own if it must not. */
import { expect, vi } from "vitest";

/** Vitest's own limit is a second. */
const waitMsMax = 30_000;

const { waitFor } = vi;
const { poll } = expect;

vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { timeout: waitMsMax, ...options });

expect.poll = (read, options) => poll(read, { timeout: waitMsMax, ...options });
