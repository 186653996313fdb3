/** Streams of journal positions: what they cost is bounded, however much is committed and however many follow. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { Positions } from "./positions.ts";

const entriesPerSecond = 200;

class Reader {
  readonly events: { readonly seq: number; readonly of: readonly string[] }[] = [];
  bytes = 0;
  isEnded = false;

  send(message: string | Buffer): void {
    const text = message.toString();
    this.bytes += text.length;
    this.events.push(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "") as (typeof this.events)[number]);
  }

  end(): void {
    this.isEnded = true;
  }
}

let master: FakeMasterApi;
let positions: Positions;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  master = new FakeMasterApi();
  positions = new Positions(master);
  await master.submit([{ kind: "sleep", input: { seconds: 1 }, id: "a" }], null);
});
afterEach(() => {
  vi.useRealTimers();
});

async function readers(count: number): Promise<{ readonly reader: Reader; readonly close: () => void }[]> {
  const all = Array.from({ length: count }, () => new Reader());
  return Promise.all(all.map(async (reader) => ({ reader, close: (await positions.follow(reader)).close })));
}

function change(): void {
  master.change("a" as TaskId, { state: "running" });
}

function commit(seconds: number): void {
  for (let count = 0; count < seconds * entriesPerSecond; count += 1) {
    change();
    vi.advanceTimersByTime(1000 / entriesPerSecond);
  }
}

test("one reader is told at once, then five times in a second, and in the end of the last entry", async () => {
  const [one] = await readers(1);
  change();
  vi.advanceTimersByTime(0);
  expect(one?.reader.events).toEqual([{ seq: 1, of: ["tasks"] }]);
  commit(10);
  vi.advanceTimersByTime(defaults.positionMs);
  expect(one?.reader.events.length).toBeLessThanOrEqual(1 + 10_000 / defaults.positionMs + 1);
  expect(one?.reader.events.length).toBeGreaterThan(40);
  expect(one?.reader.events.at(-1)?.seq).toBe(master.state.seq);
});

test("a hundred readers together are told no more often than fifty times in a second, in turn, and each of the last entry", async () => {
  const count = 100;
  const seconds = 10;
  const all = await readers(count);
  commit(seconds);
  const told = all.map(({ reader }) => reader.events.length);
  const sum = told.reduce((total, each) => total + each, 0);
  expect(sum).toBeLessThanOrEqual((seconds * 1000) / defaults.positionTurnMs + 1);
  expect(Math.max(...told) - Math.min(...told)).toBeLessThanOrEqual(1);
  for (const { reader } of all) expect(reader.bytes / seconds).toBeLessThan(50);
  vi.advanceTimersByTime(count * defaults.positionTurnMs);
  for (const { reader } of all) expect(reader.events.at(-1)?.seq).toBe(master.state.seq);
  expect(master.listeners.size).toBe(1);
  for (const { close } of all) close();
  await vi.waitFor(() => expect(master.listeners.size).toBe(0));
  expect(vi.getTimerCount()).toBe(0);
});

test("what has changed while a reader waits for its turn is told once, with all of its kinds", async () => {
  const all = await readers(20);
  change();
  master.publish({ kind: "record", collection: "templates", id: "t", value: null });
  change();
  vi.advanceTimersByTime(20 * defaults.positionTurnMs);
  const [first, ...others] = all.map(({ reader }) => reader.events.map(({ of }) => of));
  expect(first?.flat().toSorted()).toEqual(["tasks", "templates"]);
  for (const events of others) expect(events).toEqual([["tasks", "templates"]]);
});

test("after a gap all streams end, and a master that tells nothing yet is asked again by the next reader", async () => {
  const [one] = await readers(1);
  master.passOver();
  expect(one?.reader.isEnded).toBe(true);
  one?.close();
  vi.spyOn(master, "changes").mockRejectedValueOnce(new Error("This master is still reading its journal."));
  await expect(positions.follow(new Reader())).rejects.toThrow("still reading");
  const [next] = await readers(1);
  change();
  vi.advanceTimersByTime(0);
  expect(next?.reader.events).toHaveLength(1);
});
