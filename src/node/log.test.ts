/** What the log says, in both formats. */
import { describe, expect, test } from "vitest";
import { createLogTo } from "./log.ts";
import { prettyLine } from "./logFormat.ts";

function record(level: "debug" | "info" | "warn" | "error" | "silent" = "debug") {
  const lines: string[] = [];
  return { lines, log: createLogTo({ write: (line) => lines.push(line) }, "worker-1", level) };
}

describe("json", () => {
  test("is one object a line, with a level by name, who spoke, and the fields beside the message", () => {
    const { lines, log } = record();
    log.info("Attached.", { master: "http://127.0.0.1:7070", epoch: 3 });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: "info",
      time: expect.any(Number),
      pid: process.pid,
      process: "worker-1",
      master: "http://127.0.0.1:7070",
      epoch: 3,
      msg: "Attached.",
    });
  });

  test("shows an error with its stack and its cause, whichever name it comes under", () => {
    const { lines, log } = record();
    const error = new Error("outer", { cause: new Error("inner") });
    log.error("It broke.", { error });
    log.error("It broke.", { err: error });
    for (const line of lines) {
      const fields = JSON.parse(line);
      expect((fields.error ?? fields.err).stack).toContain("log.test.ts");
      expect(line).toContain("inner");
    }
  });

  test("leaves out what is below the level", () => {
    const { lines, log } = record("warn");
    log.debug("no");
    log.info("no");
    log.warn("yes");
    log.error("yes");
    expect(lines).toHaveLength(2);
  });
});

describe("pretty", () => {
  test("is one line with local time, level, name, message and fields", () => {
    const { lines, log } = record();
    log.warn("Slow commit.", { ms: 812, store: "sqlite file", empty: null });
    expect(prettyLine(lines[0]!, false)).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}worker-1 Slow commit\. ms=812 store="sqlite file" empty=null\n$/,
    );
  });

  test("shows an error's stack below the line", () => {
    const { lines, log } = record();
    log.error("It broke.", { error: new TypeError("no such thing"), task: "a" });
    const text = prettyLine(lines[0]!, false);
    expect(text.split("\n")[0]).toMatch(/ERROR worker-1 It broke\. task=a$/);
    expect(text.split("\n")[1]).toBe("    TypeError: no such thing");
    expect(text).toContain("    at ");
  });

  test("lets nothing from outside steer the terminal", () => {
    const { lines, log } = record();
    log.info("Name \x1b[2J\u202E.", { name2: "a\x1b]0;x\x07\n" });
    const text = prettyLine(lines[0]!, false);
    expect(text.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain("\\u{1b}[2J\\u{202e}");
  });

  test("uses colour only where it is asked for", () => {
    const { lines, log } = record();
    log.info("Ready.", { port: 1 });
    expect(prettyLine(lines[0]!, true)).toContain("\x1b[32minfo \x1b[0m");
    expect(prettyLine(lines[0]!, false)).not.toContain("\x1b");
  });
});
