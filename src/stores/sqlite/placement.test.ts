/** File systems that a store may not stand on are known by the number that statfs gives. */
import { statfsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { refusedFileSystem } from "./placement.ts";

describe("refusedFileSystem", () => {
  test.each([
    [0x6969, "NFS"],
    [0xff534d42, "CIFS"],
    [0xff534d42 | 0, "CIFS"],
    [0xfe534d42, "SMB"],
    [0x01021997, "9p"],
    [0x65735546, "FUSE"],
  ])("names %d", (type, name) => {
    expect(refusedFileSystem(type)).toBe(name);
  });

  test.each([
    ["ext4", 0xef53],
    ["xfs", 0x58465342],
    ["btrfs", 0x9123683e],
    ["zfs", 0x2fc12fc1],
    ["tmpfs", 0x01021994],
    ["overlayfs", 0x794c7630],
    ["the one that this test runs on", statfsSync(".").type],
  ])("allows %s", (_name, type) => {
    expect(refusedFileSystem(type)).toBeNull();
  });
});
