/** `outlast graph`: walks a graph, or shows what surrounds any other task. */

import { type Command, Option } from "commander";
import { counted } from "../../model/counted.ts";
import type { GraphNodeView, GraphView } from "../../model/graphs/graphView.ts";
import { limits } from "../../model/limits.ts";
import type { Outlast } from "../../sdk/client.ts";
import { wholeNumber } from "../arguments.ts";
import { taskColours } from "../colour.ts";
import { action, type Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { idOfNode, nodeArgument } from "../nodePlace.ts";
import type { Column } from "../table.ts";

interface GraphFlags {
  readonly limit: number;
  readonly cursor?: number;
}

export function graphCommand(program: Command): void {
  program
    .command("graph")
    .argument("<id>", "id of the graph, or of any other task, or GRAPH/NODE", nodeArgument)
    .addOption(
      new Option("--limit <n>", "how many nodes to show, those of graphs in it included")
        .argParser(wholeNumber(1, limits.graphTasksMax))
        .default(limits.pageDefault),
    )
    .option("--cursor <n>", "the node to begin with", wholeNumber(0, limits.graphTasksMax))
    .action(action(graph));
}

/** A node with its name in the outermost graph: `sub/load`. */
interface Row {
  readonly path: string;
  readonly node: GraphNodeView;
}

async function graph(context: Context, place: string, { limit, cursor = 0 }: GraphFlags): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const id = await idOfNode(client, place, signal);
  const first = await client.graph(id, { cursor, limit: Math.min(limit, limits.pageMax), signal });
  if (output.isJson) return output.document(first) as undefined;
  output.line(heading(first, context));
  for (const line of surroundings(first)) output.line(line);
  const rows: Row[] = [];
  const next = await collect({ client, signal, rows, limit }, first, "");
  if (rows.length > 0) {
    output.table(columns(Date.now()), rows);
    output.note(`One of them: outlast show ${place}/NODE, outlast logs ${place}/NODE`);
  }
  if (next !== null)
    output.note(`${first.total - next} of ${first.total} nodes follow: outlast graph ${place} --cursor ${next}`);
}

interface Walk {
  readonly client: Outlast;
  readonly signal: AbortSignal;
  readonly rows: Row[];
  readonly limit: number;
}

/** Graphs in the graph follow their node. @returns the node to go on with; null at the end */
async function collect(walk: Walk, view: GraphView, prefix: string): Promise<number | null> {
  const { client, signal, rows, limit } = walk;
  let page = view;
  let at = (view.next ?? view.total) - view.nodes.length;
  for (;;) {
    for (const node of page.nodes) {
      if (rows.length >= limit) return at;
      rows.push({ path: prefix + node.name, node });
      at += 1;
      const hasBegun = node.nodes !== undefined && node.state !== null && node.state !== "blocked";
      if (hasBegun) await collect(walk, await client.graph(node.id, { signal }), `${prefix}${node.name}/`);
    }
    if (page.next === null) return null;
    page = await client.graph(page.id, { cursor: page.next, signal });
  }
}

function heading({ id, name, kind, state, total }: GraphView, { output }: Context): string {
  const colour = taskColours[state];
  const size = kind === "graph" ? `, ${counted(total, "node")}` : "";
  return `${name === id ? id : `${name} ${id}`}: ${colour === null ? state : output.paint(colour, state)}${size}`;
}

function surroundings({ parent, after, dependents }: GraphView): string[] {
  const lines = parent === null ? [] : [`child of ${parent}`];
  for (const { id, state } of after) lines.push(`waits for ${id}: ${state ?? "not there any more"}`);
  for (const id of dependents) lines.push(`before ${id}`);
  return lines;
}

function columns(now: number): readonly Column<Row>[] {
  return [
    { title: "NODE", text: ({ path }) => path },
    {
      title: "STATE",
      text: ({ node }) => node.state ?? "",
      colour: ({ node }) => (node.state === null ? null : taskColours[node.state]),
    },
    { title: "TRY", text: ({ node }) => String(node.attempt), isRightAligned: true },
    { title: "TOOK", text: ({ node }) => tookText(node, now), isRightAligned: true },
    { title: "AFTER", text: afterText, isElastic: true },
    { title: "WHY", text: ({ node: { error } }) => error?.message ?? "", isElastic: true },
  ];
}

function tookText({ state, startedAt, endedAt }: GraphNodeView, now: number): string {
  if (startedAt === undefined) return "";
  const end = state === "running" ? now : endedAt;
  return end === undefined ? "" : formatDuration(Math.max(0, end - startedAt));
}

function afterText({ node: { after, runIf } }: Row): string {
  return after.join(", ") + (runIf === "success" ? "" : ` (if ${runIf})`);
}
