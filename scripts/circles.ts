/** Finds circles of imports: sets of files that all import each other, directly or through others. */

/**
 * The strongly connected components with more than one file, by Tarjan's algorithm ("Depth-first search and linear graph
 * algorithms", 1972), each sorted by name.
 */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const indexes = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();

  const visit = (file: string): number => {
    const index = indexes.size;
    indexes.set(file, index);
    lowest.set(file, index);
    open.push(file);
    isOpen.add(file);
    for (const other of imports.get(file) ?? []) {
      const reached = !indexes.has(other) ? visit(other) : isOpen.has(other) ? (indexes.get(other) ?? index) : index;
      lowest.set(file, Math.min(lowest.get(file) ?? index, reached));
    }
    if (lowest.get(file) === index) {
      const circle = open.splice(open.lastIndexOf(file));
      for (const member of circle) isOpen.delete(member);
      if (circle.length > 1) found.push(circle.sort());
    }
    return lowest.get(file) ?? index;
  };
  for (const file of imports.keys()) if (!indexes.has(file)) visit(file);
  return found;
}
