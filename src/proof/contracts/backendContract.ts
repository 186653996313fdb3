/** What every backend must do, whatever carries out its runs. Each driver runs this suite on the real thing. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json } from "../../model/json.ts";
import type { Backend, RunHandle, RunState } from "../../ports/backend.ts";
import { until } from "../cluster/until.ts";
import { dyingStopper, dyingWorker } from "./dyingWorker.ts";

/** A backend with whatever stands behind it. */
export interface BackendPlace {
  /** As a worker that was just started has it: nothing of another one is known to it. */
  open(): Backend;
  /** A run that prints these lines, and then ends with this code, or goes on until it is stopped. */
  input(key: string, lines: readonly string[], exitCode: number | "goes on"): Json;
  /** How often a run with this key has really begun. */
  countStarts(key: string): Promise<number>;
  /** Ends this run and starts another one under the same key, as somebody else could. */
  replace(handle: RunHandle): Promise<void>;
  close(): Promise<void>;
}

const waitMsMax = 30_000;
const nobody = new AbortController().signal;

export function describeBackend(driver: string, openPlace: () => Promise<BackendPlace>): void {
  describe(`a backend: ${driver}`, () => {
    let place: BackendPlace;
    let number = 0;
    beforeAll(async () => {
      place = await openPlace();
    });
    afterAll(() => place.close());

    function order(lines: readonly string[], exitCode: number | "goes on") {
      number += 1;
      const key = `contract-${process.pid}-${number}`;
      return {
        key,
        task: `t${number}` as never,
        attempt: 1,
        input: place.input(key, lines, exitCode),
        environment: {},
      };
    }

    test("starts a run once, however often that is asked for with one key, also by another worker", async () => {
      const one = order(["begun"], "goes on");
      const first = await place.open().start(one, nobody);
      expect(first).toMatchObject({ key: one.key, id: expect.any(String) as unknown });
      expect(await place.open().start(one, nobody)).toEqual(first);
      await untilLog(place.open(), first, "begun\n");
      expect(await place.countStarts(one.key)).toBe(1);
      await end(place.open(), first);
    });

    test("starts it once if two workers ask at the same time", async () => {
      const one = order(["begun"], "goes on");
      const [first, second] = await Promise.all([place.open().start(one, nobody), place.open().start(one, nobody)]);
      expect(second).toEqual(first);
      await untilLog(place.open(), first, "begun\n");
      expect(await place.countStarts(one.key)).toBe(1);
      await end(place.open(), first);
    });

    test("does not start again what has ended", async () => {
      const one = order(["begun"], 0);
      const handle = await place.open().start(one, nobody);
      expect(await untilOver(place.open(), handle)).toMatchObject({ kind: "ended", outcome: "success" });
      expect(await place.open().start(one, nobody)).toEqual(handle);
      expect(await place.countStarts(one.key)).toBe(1);
      await place.open().forget(handle);
    });

    test("tells how a run has ended", async () => {
      const backend = place.open();
      const handle = await backend.start(order([], 3), nobody);
      expect(await untilOver(backend, handle)).toMatchObject({ kind: "ended", outcome: "failed", exitCode: 3 });
      await backend.forget(handle);
    });

    test("stops a run, and does nothing when that is asked for again", async () => {
      const handle = await place.open().start(order(["begun"], "goes on"), nobody);
      await untilLog(place.open(), handle, "begun\n");
      expect((await place.open().inspect(handle)).kind).toBe("running");
      await place.open().stop(handle, 1_000);
      const state = await untilOver(place.open(), handle);
      expect(state).not.toMatchObject({ outcome: "success" });
      await place.open().stop(handle, 0);
      expect(await place.open().inspect(handle)).toEqual(state);
      await place.open().forget(handle);
    });

    test("stops a run at once that was being stopped slowly", async () => {
      const backend = place.open();
      const handle = await backend.start(order(["begun"], "goes on"), nobody);
      const slowly = backend.stop(handle, waitMsMax);
      await backend.stop(handle, 0);
      await untilOver(backend, handle);
      await slowly;
      await backend.forget(handle);
    });

    test("has the same output from each offset, while a run goes on and after its end", async () => {
      const backend = place.open();
      const handle = await backend.start(order(["one", "zwei: ü", "three"], "goes on"), nobody);
      const whole = "one\nzwei: ü\nthree\n";
      await untilLog(backend, handle, whole);
      const bytes = Buffer.from(whole);
      for (const offset of [0, 1, 4, 10, bytes.length - 1]) {
        await untilLog(place.open(), handle, bytes.subarray(offset), offset);
      }
      await backend.stop(handle, 0);
      await untilOver(backend, handle);
      expect(await readLog(place.open(), handle, 4)).toEqual(bytes.subarray(4));
      expect(await readLog(place.open(), handle, bytes.length)).toEqual(Buffer.alloc(0));
      await backend.forget(handle);
    });

    test("lists every run that was ever started, until it is forgotten", async () => {
      const backend = place.open();
      const over = await backend.start(order([], 0), nobody);
      const running = await backend.start(order([], "goes on"), nobody);
      await untilOver(backend, over);
      const listed = await place.open().list();
      expect(listed).toEqual(expect.arrayContaining([over, running]));
      await end(backend, running);
      await backend.forget(over);
      await backend.forget(over);
      const left = (await place.open().list()) ?? [];
      expect(left.filter(({ id }) => id === over.id || id === running.id)).toEqual([]);
    });

    test("does not take another run under the same key for the one that it is asked for", async () => {
      const backend = place.open();
      const one = order(["begun"], "goes on");
      const handle = await backend.start(one, nobody);
      await place.replace(handle);
      expect(await backend.inspect(handle)).toEqual({ kind: "gone" });
      // Nor does it end the other one.
      await backend.stop(handle, 0);
      await backend.forget(handle);
      const other = await backend.start(one, nobody);
      expect(other.id).not.toBe(handle.id);
      expect((await backend.inspect(other)).kind).toBe("running");
      await end(backend, other);
    });

    test("a worker that dies between any two steps leaves a run that the next one takes up", async () => {
      const points: number[] = [];
      for (let point = 1; ; point += 1) {
        const one = order(["begun"], 0);
        const { hasDied, ends } = await dyingWorker({ open: () => place.open(), order: one, diesAt: point });
        expect(ends.at(-1), `killed at point ${point}`).toMatchObject({ outcome: "success" });
        expect(await place.countStarts(one.key), `killed at point ${point}`).toBe(1);
        points.push(point);
        if (!hasDied) break;
      }
      // Before and after each of: two steps, a start, at least one look, a last step, a removal.
      expect(points.length).toBeGreaterThan(10);
      expect(((await place.open().list()) ?? []).filter(({ key }) => key.startsWith("contract-"))).toEqual([]);
    });

    test("a run whose task is over is stopped, though the worker dies that stops it", async () => {
      for (let point = 1; ; point += 1) {
        const one = order([], "goes on");
        const known = await place.open().start(one, nobody);
        const stopped = await dyingStopper({ open: () => place.open(), order: one, known, diesAt: point });
        expect(stopped.end, `killed at point ${point}`).toMatchObject({ outcome: "success" });
        expect((await place.open().inspect(known)).kind, `killed at point ${point}`).toBe("gone");
        if (!stopped.hasDied) break;
      }
    });

    test("a run whose task is over is found by its key", async () => {
      const one = order([], "goes on");
      const handle = await place.open().start(one, nobody);
      const once = { open: () => place.open(), order: one, known: null, diesAt: Number.POSITIVE_INFINITY };
      expect((await dyingStopper(once)).end).toMatchObject({ outcome: "success", output: { wasFound: true } });
      expect((await place.open().inspect(handle)).kind).toBe("gone");
    });
  });
}

async function end(backend: Backend, handle: RunHandle): Promise<void> {
  await backend.stop(handle, 0);
  await untilOver(backend, handle);
  await backend.forget(handle);
}

function untilOver(backend: Backend, handle: RunHandle): Promise<RunState> {
  return until("the end of the run", waitMsMax, async () => {
    const state = await backend.inspect(handle);
    return (state.kind === "ended" || state.kind === "gone") && state;
  });
}

/** Reads until there is as much output as that, and compares it; the run may go on. */
async function untilLog(backend: Backend, handle: RunHandle, wanted: string | Buffer, offset = 0): Promise<void> {
  const bytes = Buffer.from(wanted);
  const reading = new AbortController();
  const timer = setTimeout(() => reading.abort(), waitMsMax);
  let read = Buffer.alloc(0);
  try {
    await until("the output of the run", waitMsMax, async () => {
      for await (const piece of backend.logs(handle, offset + read.length, reading.signal)) {
        read = Buffer.concat([read, piece]);
        if (read.length >= bytes.length) break;
      }
      return read.length >= bytes.length;
    });
  } finally {
    clearTimeout(timer);
    reading.abort();
  }
  expect(read.toString()).toBe(bytes.toString());
}

async function readLog(backend: Backend, handle: RunHandle, offset: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of backend.logs(handle, offset, nobody)) pieces.push(piece);
  return Buffer.concat(pieces);
}
