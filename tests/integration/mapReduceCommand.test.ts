/** `outlast map-reduce` as people run it: what it tells while the job runs, and at its end. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folder, start } from "./commands.ts";

const example = join(import.meta.dirname, "../../examples/map-reduce/wordcount.ts");

test("a job on a cluster of its own tells how far it is, and what came of it", async () => {
  writeFileSync(join(folder, "text"), "one two two\n".repeat(10_000));
  // Its workers serve the queue of the job and no other.
  const place = ["--queue", "etl", "--priority", "2", "--requires", "disk", "--name", "nightly", "--deadline", "5m"];
  const words = ["-c", "text", "-m", "4", "-r", "2", "-o", "counts", "--local", "--workers", "2", ...place];
  const { code, stdout, stderr } = await start("map-reduce", example, ...words).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Job /m) as string });
  // Told at most once a second, and at once the first time.
  expect(stderr).toMatch(/^(1 map|[2-4] maps) done \(/m);
  expect(stderr).not.toContain("No master answers");
  expect(stdout).toMatch(/^verified +every part /m);
  const parts = readdirSync(join(folder, "counts")).filter((name) => name.startsWith("part-"));
  const lines = parts.flatMap((part) =>
    readFileSync(join(folder, "counts", part), "utf8")
      .split("\n")
      .slice(0, -1),
  );
  expect(lines.sort()).toEqual(["one\t10000", "two\t20000"]);
});

test("--detach without a cluster that goes on running ends at once, and starts none", async () => {
  const { code, stdout, stderr } = await start("map-reduce", example, "-c", "text", "--local", "--detach").ended;
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain("--detach needs a cluster that goes on running.");
  expect(stderr).not.toContain("Started a master");
});

test("a job on a cluster of its own that is interrupted leaves nothing in the output folder", async () => {
  writeFileSync(join(folder, "endless.txt"), "one\n");
  writeFileSync(
    join(folder, "endless.ts"),
    `import { writeFileSync } from "node:fs";
     import { lines, mapReduce, tsv } from "outlast/mapreduce";
     export const endless = mapReduce({
       name: "endless", input: lines("endless.txt"), output: tsv("endless"),
       map() {
         writeFileSync(${JSON.stringify(join(folder, "begun"))}, "");
         return new Promise(() => undefined);
       },
     });`,
  );
  const command = start("map-reduce", "endless.ts", "--local", "--workers", "1");
  await vi.waitFor(() => expect(existsSync(join(folder, "begun"))).toBe(true));
  expect(readdirSync(join(folder, "endless"))).toEqual(["_temporary"]);
  command.child.kill("SIGINT");
  const { code, stderr } = await command.ended;
  expect({ code, stderr }).toEqual({
    code: expect.any(Number),
    stderr: expect.not.stringContaining("could not be removed"),
  });
  expect(readdirSync(join(folder, "endless"))).toEqual([]);
});
