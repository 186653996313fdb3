/** No entry of the journal is ever larger than its bound, whatever clients and workers send. */
import { afterEach, expect, test } from "vitest";
import type { BootId, TaskId, WorkerId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import type { Assignment, StreamMessage } from "../model/protocol.ts";
import type { Submission } from "../model/submission.ts";
import { SystemIds } from "../node/ids.ts";
import type { OutgoingEntry } from "../ports/store.ts";
import { attachRequest } from "../proof/fakes/attachRequest.ts";
import { startSoloMaster } from "../proof/fakes/soloMaster.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import type { Master } from "./master.ts";

let master: Master;
/** The size of each entry with all that stands around its body, as a document of its fields. */
let entryBytes: number[];

class WeighingStore extends MemoryStore {
  override append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    const { writes: _writes, texts: _texts, ...fields } = entry;
    entryBytes.push(Object.values(fields).reduce<number>((sum, field) => sum + 64 + Buffer.byteLength(`${field}`), 0));
    return super.append(entry);
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

async function lead(): Promise<void> {
  entryBytes = [];
  master = await startSoloMaster({ store: new WeighingStore({ ids: new SystemIds() }) });
}

afterEach(async () => {
  await master.stop();
  for (const bytes of entryBytes) expect(bytes).toBeLessThanOrEqual(limits.entryBytesMax);
});

/** An input that is small in a request and large in the journal: `1e20` has 21 digits there. */
function growing(numbers: number): Submission {
  return { kind: "notes", input: { numbers: Array.from({ length: numbers }, () => 1e20) } };
}

test("a submission that one entry could not hold is refused, and nothing of it is created", async () => {
  await lead();
  const tooMuch = Array.from({ length: 5 }, () => growing(100_000));
  await expect(master.service.submit(tooMuch, null)).rejects.toMatchObject({
    code: "too-large",
    details: { limit: "submissionBytesMax", hint: expect.stringContaining("several requests") },
  });
  const { tasks } = await master.service.listTasks({ order: "newest", cursor: null, limit: 10 });
  expect(tasks).toEqual([]);
});

test("submissions that come together share an entry only where they fit", async () => {
  await lead();
  const large = Array.from({ length: 4 }, () => growing(100_000));
  const answers = await Promise.all([1, 2, 3].map(() => master.service.submit(large, null)));
  expect(answers.flat()).toHaveLength(12);
  expect(Math.max(...entryBytes)).toBeGreaterThan(limits.entryFillBytes);
});

test("a report of sixteen megabytes is taken in several entries, and every result of it is committed", async () => {
  await lead();
  const count = 60;
  const worker = "w" as WorkerId;
  const boot = "boot-1" as BootId;
  const assigned: Assignment[] = [];
  const request = attachRequest({ boot, capacity: count });
  const { session, epoch } = await master.service.attach(worker, request, "127.0.0.1");
  master.service.openStream(worker, session, {
    send: (message: StreamMessage) => {
      if (message.kind === "assign") assigned.push(...message.assignments);
    },
    close: () => undefined,
  });
  const ids = Array.from({ length: count }, (_, index) => `t${index}`);
  await master.service.submit(
    ids.map((id) => ({ id, kind: "sleep", input: { seconds: 1 } })),
    null,
  );
  await until(() => assigned.length === count);
  const output = { text: "€".repeat(limits.resultBytesMax / 3 - 10) };
  const items = assigned.map(({ task, attempt, assignedAt }) => ({
    ...({
      kind: "result",
      outcome: "success",
      boot,
      task,
      attempt,
      assignedAt,
      startedAt: 1,
      endedAt: 2,
      output,
    } as const),
  }));
  const before = entryBytes.length;
  const { verdicts } = await master.service.report(worker, { boot, session, epoch, items });
  expect(verdicts.map(({ task, verdict }) => `${task} ${verdict}`)).toEqual(
    assigned.map(({ task }) => `${task} committed`),
  );
  expect(entryBytes.length - before).toBeGreaterThan(2);
  expect((await master.service.readTask("t59" as TaskId))?.state).toBe("success");
});
