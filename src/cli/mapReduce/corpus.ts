/** The built-in corpora of `outlast map-reduce -c`: made on first use, outside of any checkout, and kept. */
import { open, rename, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../failure.ts";
import { makeDirectory } from "../makeDirectory.ts";
import type { Output } from "../output.ts";
import { corpusLines } from "./corpusText.ts";

/** By name: at least so many bytes, up to the end of a line. */
const corpora: { readonly [name: string]: number } = { "25mb": 25_000_000, "250mb": 250_000_000 };
const pieceCharacters = 1 << 20;

/** Another version of the text has another name. */
const version = 1;

/** The paths that `-c` means: a corpus by its name, everything else as it is. @throws UsageError for a corpus of another size */
export async function resolveCorpora(inputs: readonly string[], output: Output): Promise<readonly string[]> {
  for (const input of inputs) {
    if (!/^\d+[kmgt]b$/i.test(input) || Object.hasOwn(corpora, input)) continue;
    const names = Object.keys(corpora).join(" and ");
    throw new UsageError(
      `There is no corpus ${input}.`,
      `There are ${names}, made on first use. A file of this name: ./${input}`,
    );
  }
  return Promise.all(inputs.map(async (input) => (Object.hasOwn(corpora, input) ? corpusFile(input, output) : input)));
}

async function corpusFile(name: string, output: Output): Promise<string> {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "outlast", "corpora");
  const path = join(folder, `${name}-v${version}.txt`);
  if ((await stat(path).catch(() => null)) !== null) return path;
  output.note(`Making the ${name} corpus: ${path} …`);
  await makeDirectory(folder);
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, "w");
  try {
    for (const piece of corpusPieces(corpora[name] ?? 0)) await file.write(piece);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return path;
}

/** Lines with at least so many bytes together. */
export function* corpusPieces(bytesMin: number): Generator<Buffer, void, undefined> {
  let piece = "";
  let bytes = 0;
  for (const line of corpusLines()) {
    piece += line;
    if (piece.length < pieceCharacters && bytes + piece.length < bytesMin) continue;
    const encoded = Buffer.from(piece);
    piece = "";
    bytes += encoded.length;
    yield encoded;
    if (bytes >= bytesMin) return;
  }
}
