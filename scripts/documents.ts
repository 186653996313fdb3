/** Checks that the documents speak of things that exist: every path, link and `npm run` in them. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { filesIn } from "./sourceFiles.ts";

const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ...filesIn(["docs"], [".md"])];
const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };

const problems: string[] = [];
for (const document of documents) {
  readFileSync(document, "utf8")
    .split("\n")
    .forEach((line, index) => checkLine(document, index + 1, line));
}
for (const problem of problems) console.error(problem);
console.log(`${documents.length} documents speak of things that exist, except for ${problems.length} problems.`);
if (problems.length > 0) process.exitCode = 1;

function checkLine(document: string, number: number, line: string): void {
  const complain = (what: string) => problems.push(`${document}:${number}: ${what}`);
  let folder = ".";
  for (const [, name = ""] of line.matchAll(/`([\w./-]+\.ts|(?:src|tests|scripts|bench|docs)\/[\w./-]*)`/g)) {
    // `src/core/a.ts`, `b.ts`: what has no folder stands in the one named before it; NAME stands for any name.
    const path = name.includes("/") ? name : join(folder, name);
    folder = dirname(path);
    if (!path.includes("NAME") && !existsSync(path)) complain(`there is no ${path}`);
  }
  for (const [, target = ""] of line.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
    if (!existsSync(join(dirname(document), target))) complain(`the link to ${target} leads nowhere`);
  }
  for (const [, script = ""] of line.matchAll(/npm run ([\w:-]+)/g)) {
    if (!(script in scripts)) complain(`package.json has no script ${script}`);
  }
}
