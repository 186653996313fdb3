/** Crawls a site: each page is a task, the links of a page are its children, a few of them at a time, down to a given depth. */
import { defineTask, NonRetryableError } from "outlast";

interface Page {
  readonly url: string;
  /** How many links deep to follow. */
  readonly depth: number;
}

export const crawl = defineTask({
  name: "crawl",
  attemptsMax: 5,
  timeoutMs: 60_000,
  // A task that calls itself says what it returns, since its type would otherwise depend on itself.
  async run({ url, depth }: Page, ctx): Promise<number> {
    const links = await ctx.step("fetch", async ({ signal }) => {
      const answer = await fetch(url, { signal });
      if (answer.status < 500 && !answer.ok) throw new NonRetryableError(`${url} answers ${answer.status}`);
      if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
      return linksIn(await answer.text(), url);
    });
    console.log(`${url}: ${links.length} links`);
    if (depth === 0) return 1;
    const children = links.map((link) => crawl.task({ url: link, depth: depth - 1 }));
    // A dead link is no reason to give up the others.
    const counts = await ctx.all("links", children, { concurrencyMax: 4, failuresMax: Number.POSITIVE_INFINITY });
    return counts.reduce((sum: number, count) => sum + (count ?? 0), 1);
  },
});

/** The links of a page to others of its site, each once. */
function linksIn(html: string, base: string): string[] {
  const found = new Set<string>();
  for (const [, href = ""] of html.matchAll(/href="([^"]+)"/g)) {
    const url = new URL(href, base);
    url.hash = "";
    if (url.host === new URL(base).host && url.href !== base) found.add(url.href);
  }
  return [...found];
}
