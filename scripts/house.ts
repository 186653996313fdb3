/** Checks the rules of the house that no other tool knows: how files open, how long and how named they are, that every limit is used. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { filesIn } from "./sourceFiles.ts";
import { typesFile } from "./web/typesFile.ts";

const linesMax = 400;
const bannedNames = /^(utils?|helpers?|common|types?|interfaces?|managers?|misc|shared|base)$/i;
const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/;
/** Each of these groups of bounds, and the file that holds it. */
const limitFiles = { limits: "src/model/limits.ts", defaults: "src/model/defaults.ts" } as const;

const problems: string[] = [];
const files = filesIn(["src", "tests", "scripts", "bench", "web"], [".ts", ".tsx"]).filter(
  (file) => file !== typesFile,
);
const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));

for (const [file, text] of texts) checkFile(file, text);
checkIndexFiles();
checkLimits();
checkLockFile();

for (const problem of problems) console.error(problem);
console.log(`${files.length} files follow the rules of the house, except for ${problems.length} problems.`);
if (files.length === 0 || problems.length > 0) process.exitCode = 1;

function checkFile(file: string, text: string): void {
  const lines = text.split("\n");
  if (lines.length - 1 > linesMax)
    problems.push(`${file}: ${lines.length - 1} lines; split it by idea (at most ${linesMax})`);
  if (!text.startsWith("/** ") && !text.startsWith("/**\n * ")) {
    problems.push(`${file}:1: opens without a doc comment of one sentence on its job`);
  }
  for (const part of file.replace(/(\.test)?\.tsx?$/, "").split("/")) {
    if (bannedNames.test(part)) problems.push(`${file}: "${part}" says nothing; name it after what it is about`);
  }
  if (file === "scripts/house.ts") return;
  lines.forEach((line, index) => {
    const mark = unfinished.exec(line);
    if (mark !== null)
      problems.push(`${file}:${index + 1}: ${mark[0]}: finish it, or open an issue and say why it can wait`);
  });
}

/** `index.ts` is for what package.json exports, and for nothing else. */
function checkIndexFiles(): void {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, unknown> };
  const exported = JSON.stringify(exports);
  for (const file of files) {
    if (basename(file) !== "index.ts") continue;
    const built = file.replace(/^src\//, "./dist/").replace(/\.ts$/, ".js");
    if (!exported.includes(`"${built}"`))
      problems.push(`${file}: no export of package.json points here; name it after its idea`);
  }
}

/** npm 10 drops what it does not know from the lock file, npm 11 keeps either form: without it, no install changes the file. */
function checkLockFile(): void {
  const lines = readFileSync("package-lock.json", "utf8").split("\n");
  const number = lines.findIndex((line) => line.includes('"libc": [')) + 1;
  if (number > 0)
    problems.push(`package-lock.json:${number}: npm 10 drops "libc": run npx npm@10 install --package-lock-only`);
}

/** A limit that nothing enforces is a promise that nobody keeps. */
function checkLimits(): void {
  const holders: readonly string[] = Object.values(limitFiles);
  const uses = [...texts].filter(
    ([file]) => file.startsWith("src/") && !holders.includes(file) && !file.endsWith(".test.ts"),
  );
  for (const [group, file] of Object.entries(limitFiles)) {
    const source = texts.get(file);
    const names = source === undefined ? [] : namesIn(source, group);
    if (names.length === 0) problems.push(`${file}: found no names in \`${group}\``);
    for (const name of names) {
      // Through another name, too: `settings` may be made from `defaults`, and a limit may be passed on by its name.
      const use = new RegExp(`\\.${name}\\b|"${name}"`);
      if (!uses.some(([, text]) => use.test(text))) problems.push(`${file}: ${group}.${name} is used nowhere`);
    }
  }
}

function namesIn(source: string, group: string): string[] {
  const block = new RegExp(`export const ${group} = \\{\\n([\\s\\S]*?)\\n\\} as const`).exec(source)?.[1] ?? "";
  return [...block.matchAll(/^ {2}(\w+):/gm)].flatMap((match) => match[1] ?? []);
}
