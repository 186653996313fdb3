/** How actions of the audit record read, and how they are looked for. */
import { expect, test } from "vitest";
import { actionOf, actionText } from "./auditFilters.ts";

test("what was done and what was refused read alike, and are found by what is read", () => {
  expect([actionText("drain-worker"), actionText("drainWorker")]).toEqual(["drain worker", "drain worker"]);
  expect(actionText("cancel")).toBe("cancel");
  for (const text of ["drain worker", " drain  worker ", "drain-worker"]) expect(actionOf(text)).toBe("drain-worker");
});
