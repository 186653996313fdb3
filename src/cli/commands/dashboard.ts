/** `outlast dashboard`: prints where the dashboard is and opens it in a browser. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Command } from "commander";
import { action, type Context } from "../context.ts";

interface DashboardFlags {
  readonly open: boolean;
}

/** The program that opens an address in the browser of the person at this machine. */
const openers: { readonly [platform: string]: readonly [command: string, ...words: string[]] } = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
  linux: ["xdg-open"],
};

export function dashboardCommand(program: Command): void {
  program.command("dashboard").option("--no-open", "only print the address").action(action(openDashboard));
}

async function openDashboard(context: Context, { open }: DashboardFlags): Promise<undefined> {
  const client = await context.client();
  // Any master shows the same; the one that leads answers without a detour.
  const masters = await client.masters({ signal: context.signal });
  const url = (masters.find(({ role }) => role === "leader") ?? masters[0])?.address ?? "";
  const { output } = context;
  if (output.isJson) output.document({ url });
  else output.line(url);
  if (open && !(await openInBrowser(url))) output.note("No browser could be opened here. Open this address yourself.");
}

/** False where this machine has no such program, or it fails, as on a server without a screen. */
async function openInBrowser(url: string): Promise<boolean> {
  const [command, ...words] = openers[process.platform] ?? ["xdg-open"];
  const child = spawn(command, [...words, url], { stdio: "ignore", detached: true });
  child.unref();
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code === 0;
  } catch {
    return false;
  }
}
