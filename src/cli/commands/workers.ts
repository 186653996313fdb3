/** `outlast workers`: who is there to work, and how busy each one is. */
import type { Command } from "commander";
import type { WorkerView } from "../../model/worker.ts";
import { workerColours } from "../colour.ts";
import { action, type Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import type { Column } from "../table.ts";

export function workersCommand(program: Command): void {
  program.command("workers").action(action(listWorkers));
}

async function listWorkers(context: Context): Promise<undefined> {
  const client = await context.client();
  const workers = await client.workers({ signal: context.signal });
  const { output } = context;
  if (output.isJson) return output.document({ workers }) as undefined;
  if (workers.length === 0)
    return output.note("No worker has attached yet. Start one with: outlast worker") as undefined;
  output.table(columns(workers, Date.now()), workers);
}

function columns(workers: readonly WorkerView[], now: number): readonly Column<WorkerView>[] {
  return [
    { title: "WORKER", text: (worker) => worker.id },
    {
      title: "STATE",
      text: (worker) => worker.state + (worker.isDraining && worker.state === "connected" ? ", draining" : ""),
      colour: (worker) => workerColours[worker.state],
    },
    ...(workers.some(hasTrouble) ? [{ title: "TROUBLE", text: troubleOf, isElastic: true }] : []),
    { title: "RUNS", text: (worker) => `${worker.running}/${worker.capacity}`, isRightAligned: true },
    { title: "QUEUES", text: (worker) => worker.queues.join(","), isElastic: true },
    ...(workers.some(hasLabels)
      ? [{ title: "LABELS", text: ({ labels = [] }: WorkerView) => labels.join(","), isElastic: true }]
      : []),
    { title: "MACHINE", text: (worker) => worker.hostname, isElastic: true },
    { title: "PID", text: (worker) => String(worker.pid), isRightAligned: true },
    { title: "VERSION", text: (worker) => worker.version },
    {
      title: "HEARD",
      text: (worker) =>
        worker.heardAt === null ? "not yet" : `${formatDuration(Math.max(0, now - worker.heardAt))} ago`,
      isRightAligned: true,
    },
  ];
}

/** Beside those of its operator: what it can do that not every worker can, such as `container=podman`. */
function hasLabels({ labels = [] }: WorkerView): boolean {
  return labels.length > 0;
}

function hasTrouble(worker: WorkerView): boolean {
  return troubleOf(worker) !== "";
}

/** A master of the version before does not know of it. */
function troubleOf({ trouble }: Partial<WorkerView>): string {
  return trouble ?? "";
}
