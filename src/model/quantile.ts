/** The smallest value that at least this share of an ascending list does not exceed; null of an empty one. */
export function quantile(ascending: ArrayLike<number>, share: number): number | null {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? null;
}
