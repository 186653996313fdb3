/** Times as dots along a scale of powers, with the aim as a line: how most went, and how the slowest did. */

const width = 560;
const height = 62;
const top = 8;
const axisTop = 44;
/** More dots than this are only ink. */
const dotsMax = 800;
const ticks = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000];

/** @param ascending times in ms */
export function latencyStrip(ascending: readonly number[], aimMs: number): string {
  if (ascending.length === 0) return "";
  const min = 10;
  const max = Math.max(3_000, ascending.at(-1) ?? 0);
  const x = (ms: number) => ((Math.log(Math.max(min, ms)) - Math.log(min)) / (Math.log(max) - Math.log(min))) * width;
  const every = Math.max(1, Math.ceil(ascending.length / dotsMax));
  const chosen = ascending.filter((_, index) => index % every === 0 || index >= ascending.length - 20);
  const dots = chosen.map(
    (ms, index) => `<circle class="dot" cx="${x(ms).toFixed(1)}" cy="${y(index).toFixed(1)}" r="2.6"/>`,
  );
  const grid = ticks
    .filter((ms) => ms <= max)
    .map(
      (ms) =>
        `<line class="grid" x1="${x(ms).toFixed(1)}" x2="${x(ms).toFixed(1)}" y1="${top - 6}" y2="${axisTop}"/>` +
        `<text x="${x(ms).toFixed(1)}" y="${height - 4}" text-anchor="middle">${ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`}</text>`,
    );
  const aim =
    `<line class="aim" x1="${x(aimMs).toFixed(1)}" x2="${x(aimMs).toFixed(1)}" y1="${top - 6}" y2="${axisTop}"/>` +
    `<text class="aim-text" x="${(x(aimMs) + 4).toFixed(1)}" y="${top}">aim ${aimMs} ms</text>`;
  return `<svg class="strip" viewBox="0 0 ${width} ${height}" role="img" aria-label="${ascending.length} times from ${ascending[0]} to ${ascending.at(-1)} ms">${grid.join("")}${dots.join("")}${aim}</svg>`;
}

/** Spread over the height so that dots of equal time do not hide each other, the same way each time. */
function y(index: number): number {
  const golden = 0.618_034;
  return top + ((index * golden) % 1) * (axisTop - top - 6);
}
