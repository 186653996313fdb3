/** What a plan remembers of an input file: its version, and whether it can be divided. */
import type { Compression, PlannedFile } from "../coordinator/settings.ts";

export interface FoundFile {
  readonly path: string;
  /** In bytes, as it is stored; 0 for a stream of which nobody tells it. */
  readonly size: number;
  /** Empty if nobody tells it. */
  readonly version: string;
  /** It comes from its beginning to its end only. */
  readonly isStream?: boolean;
  /** Whoever reads it sees what was in the compressed file. */
  readonly isUnpacked?: boolean;
}

export function plannedFile({ path, size, version, isStream = false, isUnpacked = false }: FoundFile): PlannedFile {
  const compression = isUnpacked || (size === 0 && !isStream) ? null : compressionOf(path);
  const isWhole = isStream || compression !== null;
  if (!isWhole) return { path, size, version };
  return {
    path,
    size,
    version: `${compression ?? "stream"} ${version}`,
    isWhole: true,
    ...(compression !== null && { compression }),
    ...(isStream && { isStream: true }),
  };
}

/** The version of the stored bytes, without how they are read. */
export function storedVersion({ version, isWhole }: PlannedFile): string {
  return isWhole === true ? version.slice(version.indexOf(" ") + 1) : version;
}

function compressionOf(path: string): Compression | null {
  const name = path.replace(/^(https?:[^?#]*).*$/, "$1");
  if (name.endsWith(".gz")) return "gzip";
  return name.endsWith(".zst") ? "zstd" : null;
}
