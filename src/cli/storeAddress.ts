/** Of which kind a store is, from its address alone. */

export function isMongodb(text: string): boolean {
  return /^mongodb(\+srv)?:/.test(text);
}
