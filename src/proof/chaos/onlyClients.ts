/** The clients alone, against masters that somebody else runs: nothing is started there and nothing hit, only asked and judged. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { OutlastError } from "../../model/errors.ts";
import { defaults } from "../../model/limits.ts";
import { isFinal, type TaskDocument } from "../../model/task.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { prepareFolder, writeMarker } from "../cluster/folder.ts";
import { RunFailed, until } from "../cluster/until.ts";
import { ChaosClient } from "./clients.ts";
import type { Evidence } from "./evidence.ts";
import { ClientLedger, readClientLedger } from "./ledger.ts";
import type { ChaosOptions } from "./options.ts";

const restMsMax = 120_000;
const sleepMsMax = 2_500;
const readsAtOnce = 8;

/** Submits for as long as the run lasts, waits until every task has ended, and gathers what clients can know. */
export async function askOnly(
  options: ChaosOptions & { readonly mastersAt: readonly string[] },
  tell: (text: string) => void,
): Promise<Evidence> {
  const { directory, seed, mastersAt, token, signal, rate, durationMs } = options;
  // Whom nobody can ask, or who takes no such token, proves nothing by a run.
  await createClient({ masters: mastersAt, token, retryForMs: defaults.commandRetryForMs }).status({ signal });
  const startedAt = Date.now();
  await prepareFolder(directory, { command: "chaos", seed, startedAt, pid: process.pid });
  mkdirSync(join(directory, "ledger"));
  // Other tasks may be there, of an earlier run of this seed among them: no id of theirs must be met.
  const prefix = `chaos-${startedAt.toString(36)}`;
  const sessions = Array.from({ length: options.clients }, (_, index) => `${prefix}-${index + 1}`);
  const path = (session: string) => join(directory, "ledger", `${session}.jsonl`);
  const clients = sessions.map(
    (session, index) =>
      new ChaosClient({
        session,
        number: index + 1,
        seed: seed + index + 1,
        masters: mastersAt,
        token,
        rate: rate / sessions.length,
        ledger: new ClientLedger(path(session), session),
        // Where those workers run, our ledger is not: commands could not write into it.
        ledgerPath: "",
        mark: "",
        execShare: 0,
        sleepMsMax,
      }),
  );
  const observer = createClient({ masters: mastersAt, token, retryForMs: restMsMax });
  for (const client of clients) void client.run();
  tell(`${clients.length} clients submit to ${mastersAt.join(", ")} (seed ${seed})`);
  await pauseFor(durationMs, signal);
  signal.throwIfAborted();
  const healedAt = Date.now();
  await Promise.all(clients.map((client) => client.stop()));
  const acknowledged = clients.reduce((sum, client) => sum + client.acknowledged, 0);
  if (acknowledged === 0) {
    const hint = `What the clients were answered is in ${join(directory, "ledger")}.`;
    throw new RunFailed("Not one task was acknowledged, so there is nothing to check.", hint);
  }
  tell(`${acknowledged} tasks were acknowledged`);
  const lines = sessions.flatMap((session) => readClientLedger(path(session)));
  const ids = [...new Set(lines.flatMap((line) => (line.kind === "submit-ok" ? line.ids : [])))];
  const documents = new Map<string, TaskDocument>();
  const left = await untilEnded(observer, ids, documents, signal);
  const endedAt = Date.now();
  writeMarker(directory, { command: "chaos", seed, startedAt, pid: null });
  return {
    ...nothingSeen,
    startedAt,
    faultsAt: startedAt,
    healedAt,
    endedAt,
    clients: lines,
    documents: [...documents.values()],
    quiet: { boundMs: restMsMax, tookMs: endedAt - healedAt, left },
    surprises: clients.flatMap((client) => client.surprises),
  };
}

/** What cannot be seen from outside. */
const nothingSeen = {
  strikes: [],
  masters: new Map<string, string>(),
  executed: [],
  facts: [],
  lives: [],
  entries: null,
  outboxes: new Map<string, number>(),
  orphans: { isKnown: false, whileIdle: [], afterEnd: [] },
  capacity: 0,
  storeFindings: [],
  drifts: 0,
  failedFaults: [],
} as const;

/** Looks at every task until all have ended; what has not, in words. */
async function untilEnded(
  client: Outlast,
  ids: readonly string[],
  documents: Map<string, TaskDocument>,
  signal: AbortSignal,
): Promise<string[]> {
  const isOver = (id: string) => {
    const state = documents.get(id)?.state;
    return state !== undefined && isFinal(state);
  };
  const look = async () => {
    const open = ids.filter((id) => !isOver(id));
    for (let from = 0; from < open.length; from += readsAtOnce) {
      const some = open.slice(from, from + readsAtOnce);
      for (const document of await Promise.all(some.map((id) => read(client, id)))) {
        if (document !== null) documents.set(document.id, document);
      }
    }
    return ids.every(isOver);
  };
  try {
    await until("every task to end", restMsMax, look, signal);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
  }
  return ids.filter((id) => documents.has(id) && !isOver(id)).map((id) => `${id} is ${documents.get(id)?.state}.`);
}

/** Null for a task that is not there. */
async function read(client: Outlast, id: string): Promise<TaskDocument | null> {
  try {
    return await client.get(id);
  } catch (error) {
    if (error instanceof OutlastError && error.code === "not-found") return null;
    throw error;
  }
}

function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
