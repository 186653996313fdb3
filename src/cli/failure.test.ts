/** What a command says of an error of which nobody knows whether the change was made. */
import { expect, test } from "vitest";
import { OutlastError } from "../model/errors.ts";
import { toFailure, withAdvice } from "./failure.ts";

const uncertain = "It may have been done all the same: perhaps only the answer was lost.";

test("a change that no master has answered may have been done, and another one has not", () => {
  const lost = new OutlastError("unavailable", "No master answers.", { hint: "Start one.", mayBeDone: true });
  expect(toFailure(lost)).toMatchObject({ exitCode: 3, hint: `Start one.\n${uncertain}` });
  expect(toFailure(lost).body["hint"]).toBe(`Start one.\n${uncertain}`);
  expect(toFailure(new OutlastError("unavailable", "x", { mayBeDone: true })).hint).toBe(uncertain);
  expect(toFailure(new OutlastError("unavailable", "x", { hint: "Start one." })).hint).toBe("Start one.");
});

test("advice comes after the hint, and nothing is said twice", () => {
  const lost = new OutlastError("unavailable", "x", { mayBeDone: true });
  expect(toFailure(withAdvice(lost, "Use --key k.")).hint).toBe(`${uncertain}\nUse --key k.`);
  expect(toFailure(withAdvice(new OutlastError("conflict", "x"), "Use --key k.")).hint).toBe("Use --key k.");
  const unknown = toFailure(withAdvice(new OutlastError("unauthorized", "x"), "No task of it is submitted."));
  expect(unknown.hint).toMatch(/outlast login[^]*\nNo task of it is submitted\.$/);
});
