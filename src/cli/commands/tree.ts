/** `outlast tree`: a task and all that is below it; where there are many children, those of one state are folded into a line. */
import type { Command } from "commander";
import { limits } from "../../model/limits.ts";
import { isFinal, type TaskDocument, type TaskState, taskStates } from "../../model/task.ts";
import { withAdvice } from "../../model/waiting.ts";
import type { Outlast } from "../../sdk/client.ts";
import { wholeNumber } from "../arguments.ts";
import { taskColours } from "../colour.ts";
import { action, type Context } from "../context.ts";
import { idOfNode, nodeArgument } from "../nodePlace.ts";
import { printable } from "../terminalText.ts";

interface TreeFlags {
  readonly depth: number;
  readonly children: number;
}

interface Node {
  readonly task: TaskDocument;
  readonly children: readonly Node[];
  /** Children that are not among them, by state. */
  readonly folded: { readonly [State in TaskState]?: number };
}

export function treeCommand(program: Command): void {
  program
    .command("tree")
    .argument("<id>", "id of the task at the top, or GRAPH/NODE", nodeArgument)
    .option("--depth <n>", "show so many generations", wholeNumber(1, limits.familyDepthMax), limits.familyDepthMax)
    .option("--children <n>", "of each task show so many children", wholeNumber(1, limits.pageMax), limits.rowsShownMax)
    .action(action(tree));
}

async function tree(context: Context, place: string, flags: TreeFlags): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const id = await idOfNode(client, place, signal);
  const top = await grow(client, await client.get(id, { signal }), flags.depth, flags, signal);
  if (output.isJson) return output.document(toJson(top)) as undefined;
  for (const line of linesOf(context, top)) output.line(line);
}

async function grow(
  client: Outlast,
  task: TaskDocument,
  depth: number,
  flags: TreeFlags,
  signal: AbortSignal,
): Promise<Node> {
  if (depth === 0 || (task.family?.children ?? 0) === 0) return { task, children: [], folded: task.childCounts ?? {} };
  const { tasks, counts } = await telling(client, task.id, flags.children, signal);
  const folded: { [State in TaskState]?: number } = { ...counts };
  const children: Node[] = [];
  for (const child of tasks) {
    folded[child.state] = Math.max(0, (folded[child.state] ?? 0) - 1);
    children.push(await grow(client, child, depth - 1, flags, signal));
  }
  return { task, children, folded };
}

/** All children; of many, only some that have failed, run or wait. */
async function telling({ views }: Outlast, parent: string, limit: number, signal: AbortSignal) {
  const page = await views.children(parent, { limit, generation: "present", signal });
  if (page.cursor === null) return page;
  const states = taskStates.filter((state) => state === "failed" || (!isFinal(state) && state !== "created"));
  return await views.children(parent, { limit, states, generation: "present", signal });
}

function linesOf(context: Context, { task, children, folded }: Node): string[] {
  const branches = [
    ...children.map((child) => linesOf(context, child)),
    ...foldedLines(context, folded, children.length > 0).map((line) => [line]),
  ];
  return [
    nodeText(context, task),
    ...branches.flatMap((lines, index) => {
      const [first, rest] = index === branches.length - 1 ? ["└─ ", "   "] : ["├─ ", "│  "];
      return lines.map((line, at) => `${at === 0 ? first : rest}${line}`);
    }),
  ];
}

function nodeText({ output: { paint } }: Context, task: TaskDocument): string {
  const { id, name, state, attempt, waiting } = task;
  const named = name === id ? "" : `  ${printable(name)}`;
  const tries = attempt > 1 ? paint("dim", `  attempt ${attempt}`) : "";
  const why = waiting !== undefined ? withAdvice(waiting) : state === "failed" ? task.error?.message : undefined;
  return `${id}${named}  ${stateText(paint, state)}${tries}${why === undefined ? "" : paint("dim", `  ${printable(why)}`)}`;
}

function foldedLines({ output: { paint } }: Context, folded: Node["folded"], hasMore: boolean): string[] {
  return taskStates.flatMap((state) => {
    const count = folded[state] ?? 0;
    return count === 0 ? [] : [`${count}${hasMore ? " more" : ""} ${stateText(paint, state)}`];
  });
}

function stateText(paint: Context["output"]["paint"], state: TaskState): string {
  const colour = taskColours[state];
  return colour === null ? state : paint(colour, state);
}

function toJson({ task, children, folded }: Node): object {
  const { id, name, kind, state, attempt, childCounts } = task;
  const rest = Object.fromEntries(Object.entries(folded).filter(([, count]) => count > 0));
  return {
    ...{ id, name, kind, state, attempt },
    ...(childCounts !== undefined && { childCounts }),
    children: children.map(toJson),
    ...(Object.keys(rest).length > 0 && { folded: rest }),
  };
}
