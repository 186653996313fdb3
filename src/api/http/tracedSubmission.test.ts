/** Which trace the tasks of a request belong to. */
import type { FastifyRequest } from "fastify";
import { describe, expect, test } from "vitest";
import type { Tracing } from "../../ports/tracing.ts";
import { traceSubmission } from "./tracedSubmission.ts";

const given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const request = (traceparent?: string) => ({ headers: { traceparent } }) as unknown as FastifyRequest;
const echo = async (traceparent: string | undefined) => traceparent;

describe("without a collector", () => {
  test("tasks belong to the trace of the caller", async () => {
    expect(await traceSubmission(request(given), null, "sleep", echo)).toBe(given);
  });

  test.each([
    undefined,
    "",
    "nonsense",
    given.toUpperCase(),
    `${given}-more`,
    given.replace("00-", "ff-"),
    given.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32)),
    given.replace("b7ad6b7169203331", "0".repeat(16)),
  ])("%j is no trace, and no error", async (header) => {
    expect(await traceSubmission(request(header), null, "sleep", echo)).toBeUndefined();
  });
});

describe("with a collector", () => {
  const told: unknown[] = [];
  const tracing: Tracing = {
    begin(name, parent, { kind }) {
      told.push([name, parent, kind]);
      return { traceparent: "own", end: (problem) => void told.push(problem) };
    },
    stop: async () => undefined,
  };

  test("tasks belong to the submission, which belongs to the caller", async () => {
    expect(await traceSubmission(request(given), tracing, "sleep", echo)).toBe("own");
    expect(told.splice(0)).toEqual([["submit sleep", given, "server"], undefined]);
  });

  test("a refused submission is a failure of its span, and is refused", async () => {
    const refuse = () => Promise.reject(new Error("No room."));
    await expect(traceSubmission(request(), tracing, "sleep", refuse)).rejects.toThrow("No room.");
    expect(told.splice(0)).toEqual([["submit sleep", null, "server"], "No room."]);
  });
});
