/** Every command of docs/job-service.md, from top to bottom, on a real cluster: what it prints must hold what the page says. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Scene, scene } from "./scene.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/job-service.md"), "utf8");
const msMax = 30_000;

interface Row {
  readonly operation: string;
  readonly command: string;
  readonly prints: string;
}

function rowsOf(text: string): Row[] {
  return text.split("\n").flatMap((line) => {
    const [, operation = "", command, prints] = /^\| (.*?) ?\| `(.*?)` \| `(.*?)` \|$/.exec(line) ?? [];
    return command === undefined || prints === undefined ? [] : [{ operation, command, prints }];
  });
}

/** The folder that the page's commands run in: `outlast`, and the files that they name. */
function prepare({ directory }: Scene): { readonly folder: string; readonly path: string } {
  const [folder, bin] = [join(directory, "desk"), join(directory, "bin")];
  for (const each of [folder, bin]) mkdirSync(each);
  writeFileSync(join(folder, "data.csv"), "a\nb\nc\n");
  for (const [, name = "", text = ""] of page.matchAll(/<!-- (\S+) -->\n```yaml\n([\s\S]*?)```/g))
    writeFileSync(join(folder, name), text);
  const program = join(bin, "outlast");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(root, "bin/outlast.js")}' "$@"\n`);
  chmodSync(program, 0o755);
  return { folder, path: `${bin}:${process.env["PATH"]}` };
}

test("every table row has a command and what it prints", () => {
  const lines = page.split("\n").filter((line) => line.startsWith("|") && !/^\|(---|\s*operation)/.test(line));
  expect(rowsOf(page)).toHaveLength(lines.length);
  expect(lines.length).toBeGreaterThan(30);
});

test("every command of the page does what it says", { timeout: 240_000 }, () => {
  const binOfWorkers = join(root, "node_modules/.bin");
  const jobs = mkdtempSync(join(tmpdir(), "outlast-jobs-"));
  return scene(
    ["master", "worker-1", "worker-2"],
    async (play) => {
      const { folder, path } = prepare(play);
      const env = { ...process.env, PATH: path, OUTLAST: play.cluster.address, OUTLAST_MASTERS: play.cluster.address };
      for (const { operation, command, prints } of rowsOf(page)) {
        const isLook = /^(outlast (show|ls|logs|graph|workers)|curl -s \$OUTLAST\/v1\/tasks\/\S+$)/.test(command);
        const run = () => {
          const { stdout, stderr } = spawnSync("/bin/sh", ["-c", command], { cwd: folder, env, encoding: "utf8" });
          return stdout + stderr;
        };
        let output = run();
        // A look is repeated until there is what it looks for. A change is made once.
        for (const until = Date.now() + msMax; isLook && !output.includes(prints) && Date.now() < until; )
          output = run();
        expect(output, `${operation}: ${command}`).toContain(prints);
      }
    },
    {
      workerArguments: [
        ...["--labels", "linux", "--queues", "default,reports"],
        ...["--remote", join(root, "examples/remote/local.yaml")],
      ],
      environment: { PATH: `${binOfWorkers}:${process.env["PATH"]}`, JOBS: jobs },
    },
  );
});
