/** `outlast signal`: tells a task that waits for a signal, or will, that it has come. */
import type { Command } from "commander";
import type { Json } from "../../model/json.ts";
import { idArgument, json } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { idOfNode, nodeArgument } from "../nodePlace.ts";

interface SignalFlags {
  readonly payload?: Json;
  readonly id?: string;
}

export function signalCommand(program: Command): void {
  program
    .command("signal")
    .argument("<task>", "id of the task, or GRAPH/NODE", nodeArgument)
    .argument("<name>", "name of the signal")
    .option("--payload <json>", "what the handler gets, as JSON; null if left out", json)
    .option("--id <id>", "your own id of the signal; sent again, it is delivered once", idArgument)
    .action(action(signal));
}

async function signal(context: Context, place: string, name: string, { payload, id }: SignalFlags): Promise<undefined> {
  const client = await context.client();
  const task = await idOfNode(client, place, context.signal);
  await client.signal(task, name, {
    signal: context.signal,
    ...(payload !== undefined && { payload }),
    ...(id !== undefined && { id }),
  });
  const { output } = context;
  if (output.isJson) return output.document({ task, signal: name }) as undefined;
  output.line(`${task} ${output.paint("dim", `has been sent ${name}`)}`);
}
