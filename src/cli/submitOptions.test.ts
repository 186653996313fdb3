/** The command line can say of a task what the API can. */
import { Command } from "commander";
import { expect, test } from "vitest";
import { submissionSchema } from "../model/submission.ts";
import { submitCommand } from "./commands/submit.ts";
import { commonFields, fieldOfFlag } from "./submitOptions.ts";

/** What `outlast submit` takes in a way of its own. */
const ownWay = ["kind", "input", "id", "name"];

test("each field of a submission has a flag of outlast submit", () => {
  const fields = Object.keys(submissionSchema["properties"] as object);
  expect([...Object.values(fieldOfFlag), ...ownWay].toSorted()).toEqual(fields.toSorted());
  const program = new Command();
  submitCommand(program);
  const flags = program.commands[0]?.options.map((option) => option.attributeName()) ?? [];
  expect(Object.keys(fieldOfFlag).filter((flag) => !flags.includes(flag))).toEqual([]);
});

test("flags that are not given set no field", () => {
  expect(commonFields({})).toEqual({});
  const flags = {
    killsMax: 0,
    backoffBase: 500,
    backoffFactor: 1.5,
    backoffMax: 60_000,
    timeout: 1_000,
    deadline: 2_000,
  };
  expect(commonFields(flags)).toEqual({
    ...{
      killsMax: 0,
      backoffBaseMs: 500,
      backoffFactor: 1.5,
      backoffMaxMs: 60_000,
      timeoutMs: 1_000,
      deadlineMs: 2_000,
    },
  });
});
