/** The built files of the dashboard, read into memory once: nothing outside of that folder can ever be asked for. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const compress = promisify(gzip);

/** Level 9 of gzip, since each file is compressed once and sent often. */
const gzipLevel = 9;

const types: { readonly [ending: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

/** These are compressed already. */
const incompressible = new Set([".woff2"]);

export interface DashboardFile {
  readonly type: string;
  readonly body: Buffer;
  /** Null where it would not be smaller. */
  readonly gzipped: Buffer | null;
  readonly etag: string;
  /** Its name holds a hash of its content, so that it never changes. */
  readonly isImmutable: boolean;
}

/** By path, such as `/index.html` and `/assets/main-abc.js`. */
export type DashboardFiles = ReadonlyMap<string, DashboardFile>;

/** Null if the folder holds no built dashboard. */
export async function readDashboard(folder: string): Promise<DashboardFiles | null> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  if (!names.includes("index.html")) return null;
  const files = new Map<string, DashboardFile>();
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    files.set(`/${name.split(sep).join("/")}`, await toFile(join(folder, name), type));
  }
  return files;
}

async function toFile(path: string, type: string): Promise<DashboardFile> {
  const body = await readFile(path);
  const gzipped = incompressible.has(extname(path)) ? null : await compress(body, { level: gzipLevel });
  return {
    type,
    body,
    gzipped: gzipped !== null && gzipped.length < body.length ? gzipped : null,
    etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
    isImmutable: path.includes(`${sep}assets${sep}`),
  };
}
