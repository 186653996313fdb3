/** Tests of tables and of text on its way to a terminal. */
import { describe, expect, test } from "vitest";
import { painted, paintFor, plain } from "./colour.ts";
import { type Column, tableLines } from "./table.ts";
import { cut, printable, terminalSafe, widthOf } from "./terminalText.ts";

interface Row {
  readonly name: string;
  readonly count: number;
}

const columns: readonly Column<Row>[] = [
  { title: "NAME", text: (row) => row.name, isElastic: true, colour: () => "green" },
  { title: "COUNT", text: (row) => String(row.count), isRightAligned: true },
];

describe("tableLines", () => {
  test("makes columns as wide as they need to be", () => {
    const rows = [
      { name: "a", count: 5 },
      { name: "longer name", count: 12_345_678 },
    ];
    expect(tableLines(columns, rows, plain, null)).toEqual([
      "NAME            COUNT",
      "a                   5",
      "longer name  12345678",
    ]);
  });

  test("cuts elastic columns where the terminal ends", () => {
    const lines = tableLines(columns, [{ name: "a very long name indeed", count: 1 }], plain, 20);
    expect(lines).toEqual(["NAME           COUNT", "a very long …      1"]);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(20);
  });

  test("keeps columns straight with wide characters and with colours", () => {
    const rows = [
      { name: "日本", count: 1 },
      { name: "abcd", count: 2 },
    ];
    const widths = tableLines(columns, rows, painted, null).map(widthOf);
    expect(new Set(widths).size).toBe(1);
  });

  test("shows control characters in names instead of obeying them", () => {
    expect(tableLines(columns, [{ name: "a\u001b[2Jb", count: 1 }], plain, null)[1]).toContain("a\\x1b[2Jb");
  });
});

describe("cut", () => {
  test("leaves short text alone and ends long text in an ellipsis", () => {
    expect(cut("abc", 3)).toBe("abc");
    expect(cut("abcd", 3)).toBe("ab…");
    expect(cut("日本語", 4)).toBe("日…");
    expect(cut("abc", 0)).toBe("");
  });
});

test("printable shows what could disguise a text", () => {
  expect(printable("a\u202eb\u0000c\nd")).toBe("a\\u{202e}b\\x00c⏎d");
});

describe("terminalSafe", () => {
  test("lets lines, tabs and colours pass", () => {
    const text = "\u001b[1;31mred\u001b[0m\tand\nplain";
    expect(terminalSafe(text)).toBe(text);
  });

  test.each([
    ["\u001b[2J", "\\x1b[2J"],
    ["\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
    ["\u001b[6n", "\\x1b[6n"],
    ["a\bb", "a\\x08b"],
    ["\u009b31m", "\\x9b31m"],
  ])("shows %j instead of obeying it", (text, shown) => {
    expect(terminalSafe(text)).toBe(shown);
  });

  test("turns a progress bar's carriage returns into lines", () => {
    expect(terminalSafe("10%\r20%\r\n")).toBe("10%\n20%\r\n");
  });
});

describe("paintFor", () => {
  test("paints for terminals, unless told not to", () => {
    expect(paintFor({ isTTY: true }, true, {})).toBe(painted);
    expect(paintFor({ isTTY: true }, false, {})).toBe(plain);
    expect(paintFor({ isTTY: true }, true, { NO_COLOR: "1" })).toBe(plain);
    expect(paintFor({ isTTY: true }, true, { NO_COLOR: "" })).toBe(painted);
    expect(paintFor({ isTTY: true }, true, { TERM: "dumb" })).toBe(plain);
    expect(paintFor({}, true, {})).toBe(plain);
    expect(paintFor({}, true, { FORCE_COLOR: "1" })).toBe(painted);
  });
});
