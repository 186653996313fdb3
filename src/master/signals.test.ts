/** Signals over a whole master: what is said to those who send one again after its task has ended. */
import { afterEach, expect, test } from "vitest";
import type { BootId, TaskId, WorkerId } from "../model/ids.ts";
import type { IssuedAttempt, ReportItem } from "../model/protocol.ts";
import { attachRequest } from "../proof/fakes/attachRequest.ts";
import { startSoloMaster } from "../proof/fakes/soloMaster.ts";
import type { Master } from "./master.ts";

const worker = "w" as WorkerId;
const boot = "b" as BootId;
const task = "t" as TaskId;

let master: Master;
afterEach(() => master.stop());

/** Runs the task until it waits for the signal, and then to this end. */
async function runTo(outcome: "success" | "cancelled"): Promise<void> {
  master = await startSoloMaster();
  const { service } = master;
  await service.submit([{ id: task, kind: "handler", input: {} }], null);
  const request = attachRequest({ boot, kinds: ["handler"], capacity: 1 });
  const { session } = await service.attach(worker, request, "h");
  service.openStream(worker, session, { send: () => {}, close: () => {} });
  const end = async (attempt: number, result: Pick<ReportItem & { kind: "result" }, "outcome" | "waits">) => {
    const found = await reached(attempt);
    const issued = { task, attempt, assignedAt: found } as IssuedAttempt;
    const item = { kind: "result", ...issued, boot, startedAt: found, endedAt: found, ...result } as ReportItem;
    await service.report(worker, { boot, session, epoch: service.status().epoch, items: [item] });
  };
  await end(1, { outcome: "suspended", waits: [{ kind: "signal", key: "go", name: "go" }] });
  await service.signal(task, { id: "s1", name: "go", payload: null });
  if (outcome === "success") return end(2, { outcome });
  await service.cancel(task);
}

/** When this attempt of the task was assigned. */
async function reached(attempt: number): Promise<number | undefined> {
  for (;;) {
    const found = await master.service.readTask(task);
    if (found?.state === "running" && found.attempt === attempt) return found.assignedAt;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test.each(["success", "cancelled"] as const)(
  "a signal that was delivered has been taken, also when it is sent again after its task has ended as %s",
  async (outcome) => {
    await runTo(outcome);
    const send = (id: string, queues?: readonly string[]) => {
      const by = queues === undefined ? undefined : { name: "user:ada", queues };
      return master.service.signal(task, { id, name: "go", payload: null }, by);
    };
    if (outcome === "success") expect(await master.service.readTask(task)).toMatchObject({ state: "success" });
    await expect(send("s1")).resolves.toBeUndefined();
    await expect(send("s2")).rejects.toMatchObject({ code: "already-final" });
    await expect(send("s1", ["others"])).rejects.toMatchObject({ code: "not-found" });
  },
);
