/** Before the tests of the dashboard: builds it where it is stale, and finds or installs Chromium. */
import { execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { installChromium } from "../../scripts/browser/install.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly chromium: string;
  }
}

export async function setup(project: TestProject): Promise<void> {
  execFileSync(process.execPath, ["scripts/webBuild.ts", "--if-stale"], { stdio: "inherit" });
  project.provide("chromium", await installChromium());
}
