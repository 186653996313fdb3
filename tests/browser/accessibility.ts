/** What axe finds against WCAG AA and good practice on a page as it stands. */
import axe from "axe-core";
import type { Page } from "playwright-core";

/** One sentence for each; empty where nothing is wrong. */
export async function violations(page: Page): Promise<string[]> {
  // Not as a script of the page, which its content policy would block.
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join()} ${failureSummary}`),
  );
}
