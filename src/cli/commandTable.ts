/** Every command with its description. Its options are loaded when the command line names it, so that start-up is quick. */
import type { Command } from "commander";

export interface CommandEntry {
  readonly group: string;
  readonly name: string;
  readonly description: string;
  /** Loads what adds the command, with its options, to the program. */
  readonly load: () => Promise<(program: Command) => void>;
}

const groups = {
  run: "Run it:",
  tasks: "Tasks:",
  cluster: "The cluster:",
  people: "People:",
  store: "A store by itself:",
  inside: "Inside of an exec task:",
  demo: "See it survive:",
} as const;

export const commandTable: readonly CommandEntry[] = [
  {
    group: groups.run,
    name: "up",
    description: "run masters and workers on this machine and restart them when they die; Ctrl-C stops all of them",
    load: async () => (await import("./commands/up.ts")).upCommand,
  },
  {
    group: groups.run,
    name: "master",
    description: "run a master; SIGTERM or Ctrl-C stops it, and running tasks continue without it",
    load: async () => (await import("./commands/master.ts")).masterCommand,
  },
  {
    group: groups.run,
    name: "worker",
    description: "run a worker; after SIGTERM or Ctrl-C it finishes its tasks, a second signal stops it at once",
    load: async () => (await import("./commands/worker.ts")).workerCommand,
  },
  {
    group: groups.run,
    name: "restored",
    description: "mark a store as restored from a backup, so that workers accept it; stop all masters first",
    load: async () => (await import("./commands/restored.ts")).restoredCommand,
  },
  {
    group: groups.tasks,
    name: "submit",
    description:
      "submit a task: sleep SECONDS, exec -- COMMAND [ARGUMENT…], http URL, HANDLER --input JSON, or --file FILE",
    load: async () => (await import("./commands/submit.ts")).submitCommand,
  },
  {
    group: groups.tasks,
    name: "map-reduce",
    description: "run a MapReduce job: outlast map-reduce wordcount.ts -c 250mb -m 100 -r 20",
    load: async () => (await import("./commands/mapReduce.ts")).mapReduceCommand,
  },
  {
    group: groups.tasks,
    name: "ls",
    description: "list tasks, newest first",
    load: async () => (await import("./commands/ls.ts")).lsCommand,
  },
  {
    group: groups.tasks,
    name: "graph",
    description: "walk a graph: its nodes, their links and states",
    load: async () => (await import("./commands/graph.ts")).graphCommand,
  },
  {
    group: groups.tasks,
    name: "show",
    description: "show one task with its steps, its attempts, and why it waits",
    load: async () => (await import("./commands/show.ts")).showCommand,
  },
  {
    group: groups.tasks,
    name: "tree",
    description: "show a task with its children and theirs; many children of one state are one line",
    load: async () => (await import("./commands/tree.ts")).treeCommand,
  },
  {
    group: groups.tasks,
    name: "logs",
    description: "print the output of a task; a terminal gets colours, and other control sequences as text",
    load: async () => (await import("./commands/logs.ts")).logsCommand,
  },
  {
    group: groups.tasks,
    name: "delete",
    description: "delete finished tasks that match a filter, with their output and all that is below them",
    load: async () => (await import("./commands/delete.ts")).deleteCommand,
  },
  {
    group: groups.tasks,
    name: "cancel",
    description: "cancel tasks that have not ended; a running attempt is killed",
    load: async () => (await import("./commands/cancel.ts")).cancelCommand,
  },
  {
    group: groups.tasks,
    name: "retry",
    description: "run failed, cancelled or skipped tasks again, and of their families and graphs only what failed",
    load: async () => (await import("./commands/retry.ts")).retryCommand,
  },
  {
    group: groups.tasks,
    name: "signal",
    description: "send a signal to a task whose handler waits for it, or will",
    load: async () => (await import("./commands/signal.ts")).signalCommand,
  },
  {
    group: groups.tasks,
    name: "run",
    description: "create a task from a template: outlast run NAME --var n=100",
    load: async () => (await import("./commands/run.ts")).runCommand,
  },
  {
    group: groups.tasks,
    name: "template",
    description: "put, list, show and remove templates: tasks with variables",
    load: async () => (await import("./commands/template.ts")).templateCommand,
  },
  {
    group: groups.tasks,
    name: "schedule",
    description: "put, list, show, pause, resume, trigger, preview and remove schedules",
    load: async () => (await import("./commands/schedule.ts")).scheduleCommand,
  },
  {
    group: groups.cluster,
    name: "webhook",
    description: "tell other services when tasks end, fail or are late",
    load: async () => (await import("./commands/webhook.ts")).webhookCommand,
  },
  {
    group: groups.tasks,
    name: "artifacts",
    description: "list the files that a task has left, or download them with --get",
    load: async () => (await import("./commands/artifacts.ts")).artifactsCommand,
  },
  {
    group: groups.tasks,
    name: "blob",
    description: "upload, download and release files for tasks",
    load: async () => (await import("./commands/blob.ts")).blobCommand,
  },
  {
    group: groups.cluster,
    name: "dashboard",
    description: "open the dashboard in a browser, and print its address",
    load: async () => (await import("./commands/dashboard.ts")).dashboardCommand,
  },
  {
    group: groups.cluster,
    name: "masters",
    description: "list the masters: which one leads, and how far behind the others are",
    load: async () => (await import("./commands/masters.ts")).mastersCommand,
  },
  {
    group: groups.cluster,
    name: "workers",
    description: "list the workers",
    load: async () => (await import("./commands/workers.ts")).workersCommand,
  },
  {
    group: groups.cluster,
    name: "drain",
    description: "stop assigning tasks to a worker; it exits when its tasks have finished",
    load: async () => (await import("./commands/drain.ts")).drainCommand,
  },
  {
    group: groups.cluster,
    name: "queues",
    description: "list, pause and resume queues",
    load: async () => (await import("./commands/queues.ts")).queuesCommand,
  },
  {
    group: groups.cluster,
    name: "doctor",
    description: "check Node, the data directory, the store, masters, clocks and workers; exit code 1 if one is broken",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  {
    group: groups.people,
    name: "login",
    description: "sign in with a name and a password, for all commands of this user on this machine",
    load: async () => (await import("./commands/login.ts")).loginCommand,
  },
  {
    group: groups.people,
    name: "logout",
    description: "end the session of outlast login",
    load: async () => (await import("./commands/login.ts")).logoutCommand,
  },
  {
    group: groups.people,
    name: "user",
    description: "add, list, change and remove users",
    load: async () => (await import("./commands/user.ts")).userCommand,
  },
  {
    group: groups.people,
    name: "token",
    description: "make, list and remove tokens of programs and workers",
    load: async () => (await import("./commands/token.ts")).tokenCommand,
  },
  {
    group: groups.people,
    name: "audit",
    description: "print who changed what, who signed in, and who was refused",
    load: async () => (await import("./commands/audit.ts")).auditCommand,
  },
  {
    group: groups.store,
    name: "generate",
    description: "put sleep tasks straight into a MongoDB store; no master need be there",
    load: async () => (await import("./commands/generate.ts")).generateCommand,
  },
  {
    group: groups.store,
    name: "export",
    description: "print every task of a store, one document per line; no master need be there",
    load: async () => (await import("./commands/export.ts")).exportCommand,
  },
  {
    group: groups.store,
    name: "move",
    description: "move everything from a SQLite store to MongoDB, while no master runs",
    load: async () => (await import("./commands/move.ts")).moveCommand,
  },
  {
    group: groups.inside,
    name: "step",
    description: "run a command once for the task and print its output; later attempts only print what it was",
    load: async () => (await import("./commands/step.ts")).stepCommand,
  },
  {
    group: groups.inside,
    name: "progress",
    description: "say how far the task is: progress 3 10",
    load: async () => (await import("./commands/step.ts")).progressCommand,
  },
  {
    group: groups.inside,
    name: "status",
    description: "say what the task is doing",
    load: async () => (await import("./commands/step.ts")).statusCommand,
  },
  {
    group: groups.demo,
    name: "demo",
    description: "kill a master and workers while tasks run, and check that nothing is lost",
    load: async () => (await import("./commands/demo.ts")).demoCommand,
  },
  {
    group: groups.demo,
    name: "stress",
    description: "kill, restart or add a process every half second until all tasks are done, and check the same",
    load: async () => (await import("./commands/demo.ts")).stressCommand,
  },
  {
    group: groups.demo,
    name: "chaos",
    description: "inject faults into a real cluster under load for as long as you say, and check every promise",
    load: async () => (await import("./commands/chaos.ts")).chaosCommand,
  },
];
