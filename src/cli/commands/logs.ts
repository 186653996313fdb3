/** `outlast logs`: what a task wrote, once or as it is written. */
import type { Command } from "commander";
import { limits } from "../../model/limits.ts";
import { missingOutput } from "../../model/missingOutput.ts";
import { withAdvice } from "../../model/waiting.ts";
import type { LogItem } from "../../sdk/logs.ts";
import { wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { idOfNode, nodeArgument } from "../nodePlace.ts";
import { terminalSafe } from "../terminalText.ts";

interface LogsFlags {
  readonly follow?: boolean;
  readonly attempt?: number;
}

export function logsCommand(program: Command): void {
  program
    .command("logs")
    .argument("<id>", "id of the task, or GRAPH/NODE", nodeArgument)
    .option("-f, --follow", "print new output until the task has ended, across attempts and master restarts")
    .option("--attempt <n>", "attempt to print; default: the last one", wholeNumber(1, limits.killsMaxMax))
    .action(action(logs));
}

async function logs(context: Context, place: string, flags: LogsFlags): Promise<undefined> {
  const client = await context.client();
  const id = await idOfNode(client, place, context.signal);
  const options = { signal: context.signal, ...(flags.attempt === undefined ? {} : { attempt: flags.attempt }) };
  const writer = new LogWriter(context);
  if (flags.follow === true && !context.output.isJson) await noteWaiting(context, id);
  for await (const item of flags.follow === true ? client.follow(id, options) : client.logs(id, options)) {
    await writer.write(item);
  }
  await writer.end();
  if (!writer.hasWritten && !context.output.isJson) await noteNodes(context, id);
}

/** A graph and a broadcast write nothing themselves, and who asks for their logs wants those of their children. */
async function noteNodes(context: Context, id: string): Promise<void> {
  const { signal, output } = context;
  const client = await context.client();
  const { kind, broadcast } = await client.get(id, { signal });
  if (broadcast === true)
    output.note(`${id} runs on every worker, and has no log of its own; its children have: outlast tree ${id}`);
  if (kind !== "graph") return;
  const { nodes, total } = await client.graph(id, { limit: limits.rowsShownMax, signal });
  const names = nodes.map(({ name }) => name).join(", ") + (total > nodes.length ? ", …" : "");
  output.note(`${id} is a graph, and has no log of its own; its nodes have: ${names}.`);
  output.note(`Print one with: outlast logs ${id}/${nodes[0]?.name ?? "NODE"}`);
}

/** Who follows a task that does not run yet would else look at nothing, and not know why. */
async function noteWaiting(context: Context, id: string): Promise<void> {
  const { signal, output } = context;
  const client = await context.client();
  const { state, waiting } = await client.get(id, { leader: true, signal });
  if (waiting !== undefined) output.note(`── ${state}, waits: ${withAdvice(waiting)} ──`);
}

class LogWriter {
  readonly #context: Context;
  readonly #decoder = new TextDecoder();
  #isAtLineStart = true;
  hasWritten = false;

  constructor(context: Context) {
    this.#context = context;
  }

  async write(item: LogItem): Promise<void> {
    this.hasWritten = true;
    const { output } = this.#context;
    if (output.isJson) {
      const { kind, attempt } = item;
      if (item.kind === "missing") return output.jsonLine(item);
      if (item.kind !== "log") return output.jsonLine({ kind, attempt });
      return output.jsonLine({ kind, attempt, offset: item.offset, ...bytesField(item.bytes) });
    }
    switch (item.kind) {
      case "log":
        return this.#text(item.bytes);
      case "attempt":
        await this.end();
        return output.note(`── attempt ${item.attempt} ──`);
      case "missing":
        await this.end();
        return output.note(`── ${missingOutput(item.bytes)} ──`);
      case "truncated":
        await this.end();
        return output.note("── the log was cut here: it is too long ──");
      default:
        item satisfies never;
    }
  }

  /** Ends a line that the task left open, so that what follows in the terminal begins a new one. */
  async end(): Promise<void> {
    if (this.#context.output.isTerminal && !this.#isAtLineStart) process.stdout.write("\n");
    this.#isAtLineStart = true;
  }

  async #text(bytes: Uint8Array): Promise<void> {
    // A pipe gets the bytes as they are: what reads them may not want text at all.
    const piece = this.#context.output.isTerminal ? terminalSafe(this.#decoder.decode(bytes, { stream: true })) : bytes;
    if (piece.length > 0)
      this.#isAtLineStart = typeof piece === "string" ? piece.endsWith("\n") : piece.at(-1) === 0x0a;
    // A slow reader holds us up, and through us the master, instead of filling our memory.
    if (!process.stdout.write(piece)) await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
  }
}

/** As text where it is text, so that a program reads it without more ado. */
function bytesField(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}
