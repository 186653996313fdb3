/** `outlast export`: every task of a store as text, one document per line, without any master. */
import type { Command } from "commander";
import { limits } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import { SystemIds } from "../../node/ids.ts";
import type { Store } from "../../ports/store.ts";
import { action, type Context } from "../context.ts";
import { findExistingStore } from "../openStore.ts";
import { requiredStoreOption } from "../serverOptions.ts";

export function exportCommand(program: Command): void {
  program
    .command("export")
    .addOption(requiredStoreOption("sqlite:FILE or mongodb://HOST/DATABASE"))
    .action(action(exportTasks));
}

async function exportTasks(context: Context, flags: { readonly store: string }): Promise<undefined> {
  const store = await findExistingStore({ store: flags.store, data: "" }, new SystemIds());
  await store.open();
  try {
    for await (const document of documentsOf(store, context.signal)) context.output.jsonLine(document);
  } finally {
    await store.close();
  }
}

/** In the order of creation; after them what others have put into the store and nobody has adopted. */
async function* documentsOf(store: Store, signal: AbortSignal): AsyncGenerator<unknown> {
  for (let cursor: string | null = null, isMore = true; isMore; ) {
    signal.throwIfAborted();
    const page = await store.listTasks({ order: "oldest", cursor, limit: limits.pageMax });
    yield* page.tasks.map(toDocument);
    ({ cursor } = page);
    isMore = cursor !== null;
  }
  yield* (await store.readForeign?.()) ?? [];
}

/** With the fields that a document in MongoDB has at its top. */
function toDocument({ id, name, kind, input, state, host, ...rest }: TaskDocument): object {
  const seconds = kind === "sleep" ? { sleeptime: (input as { readonly seconds: number }).seconds } : { input };
  return { _id: id, taskname: name, ...seconds, state, host: host ?? null, kind, ...rest };
}
