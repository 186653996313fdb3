/**
 * A worker's process with nothing in it but an executor, to be killed by tests. Takes `boot`, `home`, commands (JSON) and, if there
 * are handlers, a task file and the kinds to start (JSON) as arguments; says `swept` when it has looked for leftovers, and `started` when its commands are started.
 */
import type { BootId, TaskId, WorkerId } from "../../../src/model/ids.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { SystemProcesses } from "../../../src/node/processes.ts";
import { sessionThatEnds } from "../../../src/proof/fakes/sessions.ts";
import { handlerOptions } from "../../../src/runner/handlerOptions.ts";
import { ProcessExecutor } from "../../../src/worker/executors/executor.ts";

const [boot = "", home = "", commands = "[]", tasks = "", kinds = "[]"] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
const executor = new ProcessExecutor({
  worker: "worker-1" as WorkerId,
  boot: boot as BootId,
  home,
  clock: new SystemClock(),
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  processes: new SystemProcesses(),
  environment: process.env,
  directory: "/",
  handlers: tasks === "" ? null : handlerOptions([{ path: tasks, isNamed: true }]),
  onOutput: (_attempt, bytes) => void say(Buffer.from(bytes).toString().trimEnd()),
});
await executor.open();
say("swept");
for (const kind of JSON.parse(kinds) as string[]) {
  executor.start(
    { task: kind as TaskId, attempt: 1, assignedAt: 1, name: kind, kind, input: null, timeoutMs: null },
    sessionThatEnds(() => say("ended")),
  );
}
for (const [index, command] of (JSON.parse(commands) as string[]).entries()) {
  const task = `task-${index}` as TaskId;
  const input = { command: [command], shell: true };
  executor.start(
    { task, attempt: 1, assignedAt: 1, name: task, kind: "exec", input, timeoutMs: null },
    sessionThatEnds(() => say("ended")),
  );
}
say("started");
// Lives until it is killed.
setInterval(() => {}, 1000);
