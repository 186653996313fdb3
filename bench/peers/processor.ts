/** What BullMQ's workers do with a job: nothing, or tell when it started. Its sandboxes load this file. */
import { appendFileSync } from "node:fs";
import type { Timing } from "./contender.ts";

export default function processJob({ name, data }: { readonly name: string; readonly data: unknown }): null {
  if (name === "timed") tellStart(data as Timing);
  return null;
}

export function tellStart({ sentAt, file }: Timing): void {
  appendFileSync(file, `${process.hrtime.bigint() - BigInt(sentAt)}\n`);
}
