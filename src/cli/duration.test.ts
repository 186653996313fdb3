/** Tests of how durations, instants and sizes are read and written. */
import { describe, expect, test } from "vitest";
import { formatBytes, formatDuration, parseDuration, parseInstant } from "./duration.ts";

describe("parseDuration", () => {
  test.each([
    ["250ms", 250],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["2d3h4m5s6ms", 2 * 86_400_000 + 3 * 3_600_000 + 4 * 60_000 + 5 * 1000 + 6],
    ["0", 0],
    [" 5s ", 5000],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "5", "m5", "5x", "-5s", "30m1h", "5m5m", "1e3s", "5 m", "367d", "99999999999999d", "5M"])(
    "refuses %j with a sentence",
    (text) => {
      expect(() => parseDuration(text)).toThrow(/\.$/);
    },
  );
});

describe("parseInstant", () => {
  test("takes a duration from now", () => {
    expect(parseInstant("+10m", 1000)).toBe(601_000);
  });

  test("takes ISO with a zone", () => {
    expect(parseInstant("2027-01-31T08:00:00Z", 0)).toBe(Date.UTC(2027, 0, 31, 8));
    expect(parseInstant("2027-01-31T08:00+02:00", 0)).toBe(Date.UTC(2027, 0, 31, 6));
    expect(parseInstant("2027-01-31 08:00:00.250Z", 0)).toBe(Date.UTC(2027, 0, 31, 8, 0, 0, 250));
  });

  test("takes ISO without a zone in the zone of this machine", () => {
    expect(parseInstant("2027-01-31T08:00", 0)).toBe(new Date(2027, 0, 31, 8).getTime());
  });

  test.each([
    "",
    "tomorrow",
    "2027-01-31",
    "2027-02-30T08:00Z",
    "2027-13-01T08:00Z",
    "2027-01-31T25:00Z",
    "2300-01-01T00:00Z",
    "+",
    "10m",
  ])("refuses %j with a sentence", (text) => {
    expect(() => parseInstant(text, 0)).toThrow(/\.$/);
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0ms"],
    [850, "850ms"],
    [999.6, "1000ms"],
    [1000, "1s"],
    [4260, "4.2s"],
    [59_999, "59.9s"],
    [200_000, "3m20s"],
    [3_600_000, "1h"],
    [5_400_000, "1h30m"],
    [90_000_000, "1d1h"],
    [-1500, "-1.5s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

test("formatBytes", () => {
  expect(formatBytes(0)).toBe("0 B");
  expect(formatBytes(1536)).toBe("1.5 KiB");
  expect(formatBytes(64 * 1024 * 1024)).toBe("64.0 MiB");
});
