/** One hash for all that needs to look random and must come out the same in every replay. */

const prime = 0x01000193;
export const hashSeed = 0x811c9dc5;

/** One step of FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) with a whole number instead of a byte. */
export function hashNumber(hash: number, value: number): number {
  return Math.imul(hash ^ value, prime);
}

export function hashText(hash: number, text: string): number {
  let next = hash;
  for (let index = 0; index < text.length; index += 1) next = Math.imul(next ^ text.charCodeAt(index), prime);
  return next;
}

/** Spreads every bit over all of them, as MurmurHash3 ends (https://github.com/aappleby/smhasher). An unsigned 32-bit number. */
export function finishHash(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Spreads names evenly over [0, 1). */
export function hashToUnit(name: string): number {
  return finishHash(hashText(hashSeed, name)) / 2 ** 32;
}
