/** A real Chromium, and pages in it that fail their test by any error, blocked content or unexpected failure to load. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, expect, inject } from "vitest";
import { cachePath } from "../../scripts/cache.ts";
import type { ClusterOptions } from "../../src/proof/cluster/cluster.ts";
import { type Scene, scene } from "../e2e/scene.ts";

/** What is longer is shown as far as it is on the screen. */
const shotHeightMax = 5_000;
/** A page must come to what it waits for within this. */
const waitMsMax = 20_000;

/** A name of somebody else that the browser resolves to this machine. */
export const hostOfOthers = "rebound.example";

export const wide = { viewport: { width: 1440, height: 900 } } as const;
export const narrow = { viewport: { width: 375, height: 812 } } as const;

/** Newer browsers keep public pages from calling this machine; a master must not depend on that. */
const oldBrowser = ["--disable-features=LocalNetworkAccessChecks,PrivateNetworkAccessSendPreflights"];

let browser: Browser | null = null;
const troubles: string[] = [];

afterEach(async () => {
  await closePages();
  expect(troubles.splice(0)).toEqual([]);
});
afterAll(async () => browser?.close());

interface PageOptions extends BrowserContextOptions {
  /** Addresses that may fail to load, as where a master dies: Chromium says so on its console. */
  readonly mayFailToLoad?: RegExp;
  /** True where the browser must refuse to load or to send something: it says so on its console. */
  readonly mayBeBlocked?: boolean;
}

/**
 * Null opens a page that goes nowhere yet, as where somebody signs in before. An address that serves no page, such
 * as /healthz, is no place for that: Chromium looks for an icon beside it and complains that there is none.
 */
export async function openPage(
  url: string | null,
  { mayFailToLoad, mayBeBlocked = false, ...options }: PageOptions = wide,
): Promise<Page> {
  const args = ["--no-sandbox", `--host-resolver-rules=MAP ${hostOfOthers} 127.0.0.1`, ...oldBrowser];
  browser ??= await chromium.launch({ executablePath: inject("chromium"), args });
  const context = await browser.newContext({ ...options, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(waitMsMax);
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const { url: place } = message.location();
    const isLoad = message.text().startsWith("Failed to load resource");
    if (mayBeBlocked && /CORS policy|frame-ancestors/.test(message.text())) return;
    if (isLoad && mayFailToLoad?.test(place) === true) return;
    troubles.push(`${message.type()}: ${message.text()} (${place})`);
  });
  if (url !== null) await page.goto(url);
  return page;
}

/** Plays a test on a fresh cluster; its pages are closed before the cluster ends. */
export function watched(
  processes: readonly string[],
  play: (stage: Scene) => Promise<void>,
  options: Partial<ClusterOptions> = {},
): Promise<void> {
  return scene(
    processes,
    async (stage) => {
      try {
        await play(stage);
      } finally {
        await closePages();
      }
    },
    options,
  );
}

async function closePages(): Promise<void> {
  for (const context of browser?.contexts() ?? []) await context.close();
}

/** Screenshots are kept outside of the repository, for people to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["OUTLAST_SCREENSHOTS"] ?? cachePath("screenshots");
  mkdirSync(folder, { recursive: true });
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: height <= shotHeightMax });
}
