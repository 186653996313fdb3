/** Lies about jobs of services. */
import type { TaskId } from "../../src/model/ids.ts";
import { MadeHistory, spec, status, task } from "./madeHistory.ts";

const key = "k1";
const stop = "stop" as TaskId;
const started = (): MadeHistory =>
  new MadeHistory()
    .entry({ kind: "spec", spec: spec({ kind: "remote" }) }, { kind: "status", status: status() })
    .add({ kind: "remote-started", key, task });
const stopped = (state: "cancelled" | "success"): MadeHistory =>
  started().entry(
    { kind: "status", status: status({ state: "cancelled" }) },
    { kind: "spec", spec: spec({ id: stop, kind: "remote.stop", input: { service: "cloud", key } }) },
    { kind: "status", status: status({ id: stop, state }) },
  );

/** What is allowed. */
export const goodRemoteJobs: { readonly [what: string]: () => MadeHistory } = {
  "a job goes on with its task": started,
  "a job ends with its task": () => stopped("success").add({ kind: "remote-ended", key, outcome: "stopped" }),
  "somebody cancels the task that is to stop a job": () => stopped("cancelled"),
};

export const remoteLies = {
  I53: {
    "a job goes on whose task was cancelled": () => started().status({ state: "cancelled" }),
    "a job goes on although it is said to be stopped": () => stopped("success"),
    "a job goes on whose task is forgotten": () =>
      started()
        .status({ state: "cancelled" })
        .entry({ kind: "forget-task", id: task, queue: "default", state: "cancelled" }),
  },
} satisfies { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } };
