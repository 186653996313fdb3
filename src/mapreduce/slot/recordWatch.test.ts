/** Only the user's code is timed, and no pause of the engine begins that anew. */
import { expect, test } from "vitest";
import { Cursor } from "../engine/cursor.ts";
import { RecordWatch } from "./recordWatch.ts";

/** A watch that looks every 250 ms. */
function watched(msMax: number) {
  const cursor = new Cursor();
  const watch = new RecordWatch(msMax, 0);
  let now = 0;
  const pass = (ms: number): boolean => {
    let isStuck = false;
    for (const end = now + ms; now < end; ) {
      now += 250;
      isStuck = watch.look(cursor, now).isStuck || isStuck;
    }
    return isStuck;
  };
  return { cursor, pass };
}

test("a record that takes too long is stuck; the time before the first, between two and after the last is the engine's", () => {
  const { cursor, pass } = watched(1000);
  expect(pass(60_000)).toBe(false);
  cursor.beginRecord(0, 0);
  expect(pass(1000)).toBe(false);
  cursor.leave();
  expect(pass(60_000)).toBe(false);
  cursor.beginRecord(0, 10);
  expect(pass(1000)).toBe(false);
  cursor.beginRecord(0, 20);
  expect(pass(1000)).toBe(false);
  expect(pass(500)).toBe(true);
});

test("what the engine does in the middle of a record is not counted, and begins nothing anew", () => {
  const { cursor, pass } = watched(1000);
  cursor.beginRecord(0, 0);
  expect(pass(750)).toBe(false);
  expect(cursor.aside(() => pass(60_000))).toBe(false);
  expect(cursor.running).toBe("record");
  expect(pass(750)).toBe(true);
});

test("a call outside of records is timed by itself, also within the work of the engine", () => {
  const { cursor, pass } = watched(1000);
  cursor.beginRecord(0, 0);
  cursor.leave();
  for (let call = 0; call < 3; call += 1) expect(cursor.call(() => pass(1000))).toBe(false);
  expect(cursor.call(() => pass(1500))).toBe(true);
  expect(cursor.running).toBe("engine");
  expect(() =>
    cursor.call(() => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(cursor.running).toBe("engine");
});

test("a module that does not come to its end while it is loaded is stuck", async () => {
  const { cursor, pass } = watched(1000);
  const ended = Promise.withResolvers<string>();
  const loading = cursor.load(() => ended.promise);
  expect(cursor.running).toBe("module");
  // Longer than for a record.
  expect(pass(5000)).toBe(false);
  expect(pass(500)).toBe(true);
  ended.resolve("exports");
  expect(await loading).toBe("exports");
  expect(cursor.running).toBe("engine");
  await expect(cursor.load(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(cursor.running).toBe("engine");
});

test("a key is timed only while a reduce has it: of a job without one, the engine writes its values", () => {
  const { cursor, pass } = watched(1000);
  cursor.beginKey(Buffer.from("key"), 0, 3);
  expect(pass(60_000)).toBe(false);
  cursor.enter();
  expect(pass(1500)).toBe(true);
});
