/** The names of epochs above their lines: none runs into another, and none beyond the edge. */

/** An election, where its line stands. */
export interface EpochLine {
  readonly x: number;
  readonly epoch: number;
}

export interface EpochLabel {
  readonly text: string;
  /** Its left edge. */
  readonly x: number;
}

/** Between a line and its label, and between two labels. */
const gap = 4;

/**
 * Elections whose labels have no room beside each other have one.
 * @param lines from left to right
 * @param widthOf of a text, as it is drawn
 * @param edge what no label may reach beyond
 */
export function epochLabels(
  lines: readonly EpochLine[],
  widthOf: (text: string) => number,
  edge: number,
): readonly EpochLabel[] {
  const groups: EpochLine[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const line of lines) {
    const last = groups.at(-1);
    if (last !== undefined && line.x < end) last.push(line);
    else groups.push([line]);
    const group = groups.at(-1) ?? [];
    end = (group[0]?.x ?? 0) + 2 * gap + widthOf(textOf(group));
  }
  const labels: EpochLabel[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (const group of groups.toReversed()) {
    const text = textOf(group);
    const x = (group[0]?.x ?? 0) + gap;
    // What is moved in from the edge may leave no room for the one before.
    const fitting = Math.min(x, edge - widthOf(text) - gap);
    if (fitting + widthOf(text) > before) continue;
    labels.unshift({ text, x: fitting });
    before = fitting;
  }
  return labels;
}

function textOf(group: readonly EpochLine[]): string {
  const [first, last] = [group[0]?.epoch, group.at(-1)?.epoch];
  return first === last ? `epoch ${first}` : `epochs ${first}–${last}`;
}
