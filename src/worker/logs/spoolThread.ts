/** The inside of the spool's thread: does what it is told in order. A disk that hangs holds up this thread and nothing else. */
import { parentPort, workerData } from "node:worker_threads";
import type { LoggedAttempt } from "../../model/protocol.ts";
import { keepCompiledCode } from "../../threads/thread.ts";
import { FileLogSpool } from "./spool.ts";

/** What the thread is told. Those with a `number` are answered. */
export type SpoolOrder =
  | { readonly kind: "write"; readonly attempt: LoggedAttempt; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "take"; readonly number: number; readonly maxBytes: number }
  | { readonly kind: "stored"; readonly pieces: readonly (LoggedAttempt & { readonly offset: number })[] }
  | { readonly kind: "end"; readonly attempt: LoggedAttempt }
  | { readonly kind: "close"; readonly number: number };

export type SpoolAnswer =
  | { readonly kind: "written"; readonly bytes: number }
  | { readonly kind: "done"; readonly number: number; readonly value: unknown };

const port = parentPort;
if (port === null) throw new Error("This is the inside of a thread.");
keepCompiledCode();
const spool = new FileLogSpool((workerData as { readonly directory: string }).directory);

port.on("message", (order: SpoolOrder) => {
  switch (order.kind) {
    case "write":
      spool.write(order.attempt, order.at, order.bytes);
      return answer({ kind: "written", bytes: order.bytes.length });
    case "take":
      return answer({ kind: "done", number: order.number, value: spool.take(order.maxBytes) });
    case "stored":
      return spool.stored(order.pieces);
    case "end":
      spool.end(order.attempt);
      return;
    case "close":
      spool.close();
      answer({ kind: "done", number: order.number, value: null });
      // Nothing is left to listen for: the thread ends by itself.
      return port.close();
    default:
      order satisfies never;
  }
});

function answer(answered: SpoolAnswer): void {
  port?.postMessage(answered);
}
