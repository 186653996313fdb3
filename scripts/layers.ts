/**
 * Checks every import of every file in `src/` against the layer table, that no files import each other in a circle, and that
 * ARCHITECTURE.md shows that same table.
 *
 * `node scripts/layers.ts` checks; with `--write` it also brings ARCHITECTURE.md up to date. Imports of types count too.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, posix } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { circlesIn } from "./circles.ts";
import { beginMark, endMark, forTests, type Layer, layers, toMarkdown } from "./layerTable.ts";
import { filesIn } from "./sourceFiles.ts";

const document = "ARCHITECTURE.md";

interface Import {
  readonly line: number;
  /** Null if it is computed, so that nobody can say where it leads. */
  readonly target: string | null;
  /** By `import()`, when it is needed. */
  readonly isLazy: boolean;
}

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: Record<string, string> };
const problems: string[] = [];
const files = filesIn(["src"], [".ts"]);
let imports = 0;
/** By file: the files in `src/` that it imports. */
const graph = new Map<string, string[]>();

for (const file of files) {
  const layer = layerOf(file);
  if (layer === null) {
    problems.push(`${file}: stands in no folder of the table in scripts/layerTable.ts`);
    continue;
  }
  const targets: string[] = [];
  graph.set(file, targets);
  for (const { line, target, isLazy } of importsOf(file)) {
    imports += 1;
    if (target?.startsWith(".")) targets.push(posix.join(dirname(file), target));
    const problem = judge(file, layer, target, isLazy);
    if (problem !== null) problems.push(`${file}:${line}: ${problem}`);
  }
}
for (const circle of circlesIn(graph)) {
  problems.push(`these files import each other in a circle, types included: ${circle.join(", ")}`);
}
checkDocument();

for (const problem of problems) console.error(problem);
console.log(`${imports} imports in ${files.length} files follow the table, except ${problems.length}.`);
if (files.length === 0 || problems.length > 0) process.exitCode = 1;

/** Null if the import is allowed, else what is wrong with it. */
function judge(file: string, layer: Layer, target: string | null, isLazy: boolean): string | null {
  if (target === null) return layer.loadsUserCode === true ? null : "imports a computed name; write the name out";
  const isTest = file.endsWith(".test.ts");
  if (!target.startsWith(".")) {
    const name = packageOf(target);
    const allowed = isTest ? [...layer.packages, ...forTests.packages] : layer.packages;
    const isAllowed = allowed.includes(name) || (allowed.includes("node:*") && isBuiltin(target));
    if (!isAllowed) return `\`${layer.folder}\` may not import the package or module \`${name}\``;
    const isShipped = !isTest && layer.folder !== "proof";
    if (isShipped && !isBuiltin(target) && !(name in dependencies)) return `\`${name}\` is not in \`dependencies\``;
    return null;
  }
  const path = posix.join(dirname(file), target);
  const other = layerOf(path);
  if (other === null) return `imports ${path}, which stands in no folder of the table`;
  if (unitOf(path) === unitOf(file)) return null;
  const allowed = [...layer.layers, ...(isTest ? forTests.layers : []), ...(isLazy ? (layer.lazyLayers ?? []) : [])];
  return allowed.includes(other.folder) ? null : `\`${layer.folder}\` may not import \`${other.folder}\` (${path})`;
}

function layerOf(file: string): Layer | null {
  const unit = unitOf(file);
  return layers.find((layer) => layer.folder === unit || layer.folder === unit.replace(/\/.*/, "/*")) ?? null;
}

/** The folder that belongs together: `core` for `src/core/a/b.ts`, `stores/sqlite` for `src/stores/sqlite/c.ts`. */
function unitOf(file: string): string {
  const parts = file.split("/").slice(1, -1);
  const isSplit = layers.some((layer) => layer.folder.startsWith(`${parts[0]}/`));
  return parts.slice(0, isSplit ? 2 : 1).join("/");
}

function packageOf(target: string): string {
  if (isBuiltin(target)) return target.startsWith("node:") ? target : `node:${target}`;
  return target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const { program, errors } = parseSync(file, text);
  for (const error of errors) problems.push(`${file}: ${error.message}`);
  const found: Import[] = [];
  const add = (node: { start: number }, source: { type: string; value?: unknown } | null, isLazy = false) => {
    const line = text.slice(0, node.start).split("\n").length;
    found.push({ line, target: source !== null && typeof source.value === "string" ? source.value : null, isLazy });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source),
    ExportAllDeclaration: (node) => add(node, node.source),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) add(node, node.source);
    },
    ImportExpression: (node) => add(node, node.source, true),
    TSImportType: (node) => add(node, node.source),
    TSExternalModuleReference: (node) => add(node, node.expression),
  }).visit(program);
  return found;
}

function checkDocument(): void {
  const text = readFileSync(document, "utf8");
  const begin = text.indexOf(beginMark);
  const end = text.indexOf(endMark);
  if (begin < 0 || end < begin) {
    problems.push(`${document}: the marks around the layer table are gone`);
    return;
  }
  const wanted = `${text.slice(0, begin)}${beginMark}\n${toMarkdown()}\n${text.slice(end)}`;
  if (text === wanted) return;
  if (process.argv.includes("--write")) writeFileSync(document, wanted);
  else problems.push(`${document}: the layer table differs from scripts/layerTable.ts; run: npm run layers -- --write`);
}
