/** Sizes as people read them. */

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `812 B`, `4.2 MiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
