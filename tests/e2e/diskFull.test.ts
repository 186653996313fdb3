/** The master's disk is full: submits are refused for the time being, what runs goes on, and nothing acknowledged is lost. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { OutlastError } from "../../src/model/errors.ts";
import { createClient } from "../../src/sdk/client.ts";
import { scene } from "./scene.ts";

const mebibyte = 1024 * 1024;

/** A small file system of its own; null where this process may not mount one. */
function mountSmallDisk(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return null;
  const directory = mkdtempSync(join(tmpdir(), "outlast-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "outlast-e2e", directory], { stdio: "ignore" });
    return directory;
  } catch {
    rmSync(directory, { recursive: true });
    return null;
  }
}

test("a full disk", async (context) => {
  const disk = mountSmallDisk();
  if (disk === null) return context.skip("Only root on Linux can make a small disk.");
  onTestFinished(() => {
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
  });
  await scene(
    ["master", "worker-1"],
    async (play) => {
      const filler = join(disk, "filler");
      await play.sleepTask("running", 2);
      await play.sleepTask("queued", 0.1);
      await play.started("running");
      fill(filler);

      const impatient = createClient({ masters: play.cluster.address, retryForMs: 0 });
      const acknowledged: string[] = [];
      const refusal = await play.until("a submit to be refused", async () => {
        const ids = Array.from({ length: 200 }, (_, index) => `t-${acknowledged.length + index}`);
        try {
          await impatient.submitAll(ids.map((id) => ({ id, kind: "sleep", input: { seconds: 0 } })));
          acknowledged.push(...ids);
          return null;
        } catch (error) {
          return error;
        }
      });
      expect(refusal).toBeInstanceOf(OutlastError);
      expect(refusal).toMatchObject({ code: "unavailable" });
      // What was running has no part in it.
      expect((await play.ended("running")).outcome).toBe("success");
      expect(play.cluster.isUp("master")).toBe(true);

      rmSync(filler);
      expect(await play.success("running")).toMatchObject({ attempt: 1, kills: 0 });
      expect(await play.success("queued")).toMatchObject({ attempt: 1, kills: 0 });
      for (const id of acknowledged) await play.success(id);
    },
    { masterData: join(disk, "master"), capacity: 1 },
  );
});

/** Takes the last free byte. */
function fill(path: string): void {
  for (const size of [mebibyte, 64 * 1024, 4096, 512]) {
    for (;;) {
      try {
        writeFileSync(path, Buffer.alloc(size), { flag: "a" });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOSPC") break;
        throw error;
      }
    }
  }
}
