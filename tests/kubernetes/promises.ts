/** Tests that are promises to operators: each says what it saw, and together they make the closing table. */
import { afterAll, type TestContext } from "vitest";
import { plain } from "../../src/cli/colour.ts";
import { tableLines } from "../../src/cli/table.ts";

interface Row {
  readonly mark: "✓" | "✗";
  readonly promise: string;
  readonly seen: string;
}

const rows: Row[] = [];

/** The body of such a test. @param body resolves with what was seen, in a few words */
export function promised(body: () => Promise<string>): (context: TestContext) => Promise<void> {
  return async ({ task }) => {
    try {
      rows.push({ mark: "✓", promise: task.name, seen: await body() });
    } catch (error) {
      rows.push({ mark: "✗", promise: task.name, seen: String(error).split("\n")[0] ?? "" });
      throw error;
    }
  };
}

/** Prints the table when all tests of the file have run. */
export function printTableInTheEnd(): void {
  afterAll(() => {
    const lines = tableLines<Row>(
      [
        { title: "", text: ({ mark }) => mark },
        { title: "promise", text: ({ promise }) => promise },
        { title: "seen", text: ({ seen }) => seen },
      ],
      rows,
      plain,
      null,
    );
    process.stdout.write(`\n${lines.join("\n")}\n\n`);
  });
}
