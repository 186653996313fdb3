/** What all acts of the demonstration have in common: a cluster of their own, what is told while they play, and the closing table. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Output } from "../../cli/output.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { Cluster, type ClusterOptions } from "../cluster/cluster.ts";
import { combineLogs, prepareFolder, taskLines, writeMarker } from "../cluster/folder.ts";
import { RunFailed } from "../cluster/until.ts";
import { type Check, demandCase } from "./check.ts";
import { carriedOut } from "./checks.ts";
import { actMarkdown, holds, reportLines } from "./report.ts";
import { readDocuments } from "./witness.ts";

export interface ActOptions {
  readonly workers: number;
  readonly directory: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Where an act plays. */
export interface Stage {
  readonly cluster: Cluster;
  readonly client: Outlast;
  /** Says what happens, and since when the run goes on. */
  readonly tell: (text: string, colour?: "red" | "green" | "yellow") => void;
}

export interface Act {
  readonly name: string;
  readonly cluster: Omit<ClusterOptions, "directory">;
  /** What the report says besides, for `--json`. */
  readonly facts?: { readonly seed: number; readonly repeat: string };
  /** Plays to the end. @throws RunFailed if it gets stuck */
  play(stage: Stage): Promise<void>;
  /** What was seen of the promises, also after an act that got stuck; called while all processes are up. */
  judge(stage: Stage): Promise<readonly Check[]>;
}

const callMsMax = 60_000;

/** True if every promise was tested and kept. */
export async function runAct(options: ActOptions, act: Act): Promise<boolean> {
  const { output, signal } = options;
  const directory = resolve(options.directory);
  const startedAt = Date.now();
  const marker = { command: "demo", seed: act.facts?.seed ?? 0, startedAt };
  await prepareFolder(directory, { ...marker, pid: process.pid });
  const cluster = await Cluster.create({ directory, ...act.cluster });
  const client = createClient({ masters: cluster.address, retryForMs: callMsMax, token: null });
  const tell: Stage["tell"] = (text, colour) => {
    if (output.isJson) return;
    const at = `${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  `;
    output.line(at + (colour === undefined ? text : output.paint(colour, text)));
  };
  const onInterrupt = () => tell("Interrupted: ending every process of this run", "yellow");
  signal.addEventListener("abort", onInterrupt, { once: true });
  const stage = { cluster, client, tell };
  try {
    const trouble = await act.play(stage).then(() => null, told);
    signal.throwIfAborted();
    const checks = [...(await act.judge(stage)).map(demandCase), carriedOut(trouble)];
    writeFileSync(join(directory, "tasks.txt"), taskLines(await readDocuments(client)));
    await cluster.stopAll();
    const logs = cluster.names().map((each) => ({ process: each, text: readFileSync(cluster.logPath(each), "utf8") }));
    writeFileSync(join(directory, "combined.log"), combineLogs(logs));
    const closing = { checks, startedAt, endedAt: Date.now(), directory: options.directory };
    writeFileSync(join(directory, "report.md"), actMarkdown(act.name, closing));
    if (output.isJson)
      output.document({ command: "demo", act: act.name, ...act.facts, checks, isClean: holds(closing) });
    else for (const line of reportLines(closing, output.paint, output.columnsMax)) output.line(line);
    return holds(closing);
  } finally {
    signal.removeEventListener("abort", onInterrupt);
    await cluster.killAll();
    writeMarker(directory, { ...marker, pid: null });
  }
}

/** What went wrong, if it is of the sort that leaves evidence to be looked at; anything else goes on its way up. */
function told(error: unknown): string {
  if (error instanceof RunFailed) return error.message;
  throw error;
}
