/** A small hash of texts, for traces, for seeded chance, and for comparing what was told with what is true. */

/** FNV-1a over UTF-16 units: quick, and good enough to tell two traces or two names apart. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
