/** Files in S3 as the commands have them: `--blobs s3://…`, the doctor, and a master that is killed in between. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { findDeployment } from "../contracts/s3/place.ts";
import { folder, start } from "./commands.ts";

const found = await findDeployment();

test("an address that is none is refused, and not repeated: it may hold credentials", async () => {
  for (const bad of ["s3:", "s3://", "s3://KEY:SECRET@bucket/x", "s3://bucket/a b", "s3://bucket/../x"]) {
    for (const command of [
      ["master", "--blobs", bad],
      ["doctor", "--blobs", bad],
    ]) {
      const { code, stderr } = await start(...command).ended;
      expect({ bad, code }).toEqual({ bad, code: 2 });
      expect(stderr).toContain("s3://bucket/outlast");
      expect(stderr).not.toContain("SECRET");
    }
  }
});

test("the doctor tries a directory with a small file, and leaves nothing", async () => {
  const { code, stdout } = await start("doctor", "--blobs", "directory:files", "--json").ended;
  expect(code).toBe(0);
  const { findings } = JSON.parse(stdout) as { findings: { verdict: string }[] };
  expect(findings.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 6 }, () => "good"));
});

describe.skipIf(found === null)("on a real server", () => {
  test("a file outlives its master, and a bucket that is not there keeps one from starting", async () => {
    const { bucket, key } = found!.newPlace();
    const place = `s3://${bucket}/${key}`;
    const port = String(await findFreePort());
    const options = ["--port", port, "--store", "sqlite:s3/x.db", "--log-format", "json"];
    const masters = ["--masters", `http://127.0.0.1:${port}`];
    writeFileSync(join(folder, "in"), randomBytes(10 << 20));

    expect(await start("doctor", "--blobs", place).ended).toMatchObject({ code: 0 });
    const refused = await start("master", ...options, "--blobs", "s3://no-such-bucket").ended;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("NoSuchBucket") as string });

    const first = start("master", ...options, "--blobs", place);
    await first.line(/^outlast master ready at /);
    const put = await start("blob", "put", "in", ...masters).ended;
    expect(put).toMatchObject({ code: 0 });
    first.child.kill("SIGKILL");
    await first.ended;

    const second = start("master", ...options, "--blobs", place);
    await second.line(/^outlast master ready at /);
    expect(await start("blob", "get", put.stdout.trim(), "out", ...masters).ended).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "out")).equals(readFileSync(join(folder, "in")))).toBe(true);
    second.child.kill("SIGTERM");
    const { stderr } = await second.ended;
    expect(stderr).not.toContain(process.env["AWS_SECRET_ACCESS_KEY"]!);
  });
});

afterAll(() => found?.stop());
