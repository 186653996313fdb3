/** Which addresses a task may call by default. */
import { describe, expect, test } from "vitest";
import { checkHost, guardedLookup, isPrivateAddress, PrivateAddress } from "./addressGuard.ts";

describe("private", () => {
  test.each([
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1"],
    ...["172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"],
    ...["::", "::1", "fc00::1", "fd12::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::a00:1"],
    ...["2002:7f00:1::1", "2001::1"],
  ])("%s", (address) => {
    expect(isPrivateAddress(address)).toBe(true);
    const host = address.includes(":") ? `[${address}]` : address;
    expect(() => checkHost(host)).toThrow(PrivateAddress);
  });
});

describe("public", () => {
  test.each(["1.1.1.1", "172.15.0.1", "172.32.0.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1"])(
    "%s",
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );
});

test("other spellings of an address become the usual one before they are checked", () => {
  for (const spelling of ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://[::ffff:127.0.0.1]/"])
    expect(() => checkHost(new URL(spelling).hostname)).toThrow(PrivateAddress);
});

test.each([{ all: true }, { all: false }, { family: 4 }])(
  "a name that leads to this machine is refused: %j",
  async (options) => {
    const error = await new Promise((resolve) => {
      guardedLookup("localhost", options, (problem) => resolve(problem));
    });
    expect(error).toBeInstanceOf(PrivateAddress);
  },
);
