/** `outlast worker`: takes tasks from the masters and runs them. */
import { type Command, Option } from "commander";
import { defaults, limits } from "../../model/limits.ts";
import { duration, idArgument, ownLabels, wholeNumber } from "../arguments.ts";
import { action } from "../context.ts";
import type { WorkerFlags } from "../flags.ts";
import {
  allowFaultsOption,
  containerOptions,
  dataOption,
  httpPrivateOption,
  jobsUseS3Option,
  jobsWarmOption,
  logOptions,
  otlpOption,
  queuesOption,
  remoteOption,
  runAsOption,
  stopOnStdinEndOption,
  tasksOption,
} from "../serverOptions.ts";

export function workerCommand(program: Command): void {
  const worker = program
    .command("worker")
    .option(
      "--name <name>",
      "name of the worker, kept over restarts; default: made from the name of the machine",
      idArgument,
    )
    .option("--capacity <n>", "how many tasks to run at a time", wholeNumber(1, limits.capacityMax), defaults.capacity)
    .addOption(tasksOption())
    .addOption(httpPrivateOption())
    .addOption(jobsUseS3Option())
    .addOption(jobsWarmOption())
    .addOption(remoteOption())
    .addOption(otlpOption())
    .addOption(queuesOption())
    .option("--labels <list>", "labels of this worker that tasks can require, such as gpu,zone=eu", ownLabels)
    .addOption(dataOption())
    .addOption(runAsOption())
    .addOption(
      new Option("--drain-timeout <duration>", "how long running tasks may continue after SIGTERM")
        .env("OUTLAST_DRAIN_TIMEOUT")
        .default(defaults.drainTimeoutMs, "5m")
        .argParser(duration),
    )
    // Both are what the port for metrics was called when it had one of its own.
    .addOption(new Option("--metrics-port <port>").argParser(wholeNumber(0, limits.portMax)).hideHelp())
    .addOption(new Option("--metrics-address <address>").default(defaults.address).hideHelp())
    .addOption(
      new Option(
        "--health-port <port>",
        "answer /healthz, /readyz and /metrics here, on all interfaces; /metrics needs the token, or comes from this machine",
      )
        .env("OUTLAST_HEALTH_PORT")
        .argParser(wholeNumber(1, limits.portMax)),
    )
    .addOption(stopOnStdinEndOption())
    .addOption(allowFaultsOption())
    .action(
      action(async (context, flags: WorkerFlags) => {
        const { runWorker } = await import("../workerProcess.ts");
        return runWorker(context, flags);
      }, "server"),
    );
  for (const option of [...containerOptions(), ...logOptions()]) worker.addOption(option);
}
