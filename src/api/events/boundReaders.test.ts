/** What a reader of some queues is told of its tasks is looked up first: nothing of that is passed over, whatever comes of it. */
import { beforeEach, expect, test, vi } from "vitest";
import { ScopedMaster } from "../../master/service/scopedMaster.ts";
import type { TaskId } from "../../model/ids.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import type { EventStream } from "./eventStream.ts";
import { type EventFilter, followFiltered } from "./filteredEvents.ts";
import { TaskWatch } from "./taskWatch.ts";

/** A master whose store is asked for the queue of a task that has ended, as long as the test wants it. */
class AskingMaster extends FakeMasterApi {
  lookUp: () => Promise<string | null> = async () => "own";

  override queueOf(_id: TaskId): never {
    return this.lookUp() as never;
  }
}

let master: AskingMaster;
let sent: string[];
let isEnded: boolean;
let stream: EventStream;

beforeEach(async () => {
  master = new AskingMaster();
  await master.submit([{ kind: "sleep", input: { seconds: 1 }, id: "a" }], null);
  sent = [];
  isEnded = false;
  stream = {
    isClosed: false,
    isBusy: false,
    send: (message: Buffer) => void sent.push(message.toString()),
    end: () => {
      isEnded = true;
    },
  } as unknown as EventStream;
});

const filters: [string, EventFilter][] = [
  ["named tasks", { tasks: new Set(["a" as TaskId]), states: null, root: null }],
  ["all tasks", { tasks: null, states: null, root: null }],
];

async function follow(filter: EventFilter, after: number): Promise<void> {
  const scoped = new ScopedMaster(master, { name: "token:x", queues: ["own"] });
  await followFiltered({ master: scoped, watch: new TaskWatch(scoped) }, stream, filter, after);
}

test.each(filters)("a change that is still looked up is behind the place of a ping (%s)", async (_what, filter) => {
  await follow(filter, 0);
  const found = Promise.withResolvers<string>();
  master.lookUp = () => found.promise;
  master.change("a" as TaskId, { state: "success" });
  expect(stream.pingText()).toBe("id: 0\n\n");
  found.resolve("own");
  await vi.waitFor(() => expect(sent.join("")).toContain("id: 1\n"));
  expect(stream.pingText()).toBe("id: 1\n\n");
});

test.each(filters)("a past that cannot be looked up ends the stream (%s)", async (_what, filter) => {
  master.change("a" as TaskId, { state: "success" });
  master.lookUp = () => Promise.reject(new Error("The store is away."));
  await follow(filter, 0);
  expect(sent).toEqual([]);
  expect(isEnded).toBe(true);
});
