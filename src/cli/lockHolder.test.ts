/** What is advised about a process that holds a store's lock: nobody is to kill a master whose disk is slow. */
import { expect, test } from "vitest";
import { describeHolder } from "./lockHolder.ts";

test.each([
  [{ name: "Master m1", isMaster: true, isStopped: true }, "and is stopped", "kill -CONT 7"],
  [{ name: "Master m1", isMaster: true, isStopped: false }, "was writing", "the disk is slow"],
  [{ name: "`sqlite3 x.db`", isMaster: false, isStopped: false }, "holds the lock", "kill -KILL 7"],
])("%j", (holder, message, advice) => {
  const told = describeHolder("/x.db", { pid: 7, ...holder });
  expect(told).toEqual([expect.stringContaining(message), expect.stringContaining(advice)]);
  expect(told[1].includes("kill")).toBe(holder.isStopped || !holder.isMaster);
});
