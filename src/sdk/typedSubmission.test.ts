/** The types of submissions: a wrong input does not compile. The compiler is the judge; nothing is sent. */
import { expect, test } from "vitest";
import { createClient } from "./client.ts";
import { defineTask } from "./handler/definition.ts";
import type { Submission } from "./index.ts";

test("the input of a built-in kind is checked by the compiler, that of a handler is any JSON", () => {
  const client = createClient({ masters: "http://127.0.0.1:1" });
  const double = defineTask({ name: "double", run: (n: number) => 2 * n });
  const nap = { kind: "sleep", input: { seconds: 1 } } as const;
  const uses = [
    () => client.submit({ kind: "sleep", input: { seconds: 1 } }),
    () => client.submit({ kind: "exec", input: { command: ["ls", "-l"], shell: false }, name: "list" }),
    () => client.submit({ kind: "exec", input: { command: "ls -l | wc", shell: true } }),
    () => client.submit({ kind: "resize", input: [1, "any"] }),
    // @ts-expect-error without a shell the command is a list
    () => client.submit({ kind: "exec", input: { command: "ls -l" } }),
    // @ts-expect-error the input of another kind
    () => client.submit({ kind: "sleep", input: { command: ["ls"] } }),
    // @ts-expect-error no input
    () => client.submit({ kind: "exec" }),
    // @ts-expect-error a property of the wrong type
    () => client.submit({ kind: "sleep", input: { seconds: 1 }, priority: "high" }),
    () =>
      client.submitAll([
        { kind: "sleep", input: { seconds: 1 } },
        { kind: "exec", input: { command: ["ls"] } },
        { kind: "resize", input: null },
      ]),
    // @ts-expect-error one of them has a wrong input
    () => client.submitAll([nap, { kind: "exec", input: { command: "ls" } }]),
    () => client.submit(double.task(1), { key: "once" }),
    () => client.submitAll([1, 2].map((n) => double.task(n, { priority: n }))),
    // @ts-expect-error the input of the definition is a number
    () => client.submit(double.task("1")),
    (submission: Submission) => client.submit(submission),
    (submissions: readonly Submission<string>[]) => client.submitAll(submissions),
  ];
  const built: Submission[] = [{ kind: "exec", input: { command: ["ls"] } }];
  // @ts-expect-error a handler is named in the type
  const handler: Submission = { kind: "resize", input: 1 };
  const named: Submission<"resize"> = { kind: "resize", input: 1 };
  expect([uses.length, built.length, handler, named]).toHaveLength(4);
});
