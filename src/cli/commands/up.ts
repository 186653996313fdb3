/** `outlast up`: masters and workers on this machine, restarted when they die. */
import { type Command, Option } from "commander";
import { defaults, limits } from "../../model/limits.ts";
import { duration, wholeNumber } from "../arguments.ts";
import { action } from "../context.ts";
import type { UpFlags } from "../flags.ts";
import {
  addressOption,
  blobsOption,
  clusterOptions,
  containerOptions,
  dataOption,
  hostNamesOption,
  httpPrivateOption,
  jobsUseS3Option,
  logOptions,
  masterCount,
  masterCountOptions,
  otlpOption,
  portOption,
  proxyOption,
  queuesOption,
  remoteOption,
  runAsOption,
  storeOption,
  tasksOption,
  tlsOptions,
  webhookPrivateOption,
} from "../serverOptions.ts";

export function upCommand(program: Command): void {
  const up = program
    .command("up")
    .option("--workers <n>", "how many workers", wholeNumber(0, limits.workersMax), defaults.upWorkers)
    .option(
      "--capacity <n>",
      "how many tasks each worker runs at a time",
      wholeNumber(1, limits.capacityMax),
      defaults.capacity,
    )
    .addOption(tasksOption())
    .addOption(httpPrivateOption())
    .addOption(jobsUseS3Option())
    .addOption(remoteOption())
    .addOption(webhookPrivateOption())
    .addOption(otlpOption())
    .addOption(queuesOption())
    .addOption(dataOption())
    .addOption(runAsOption())
    .addOption(storeOption())
    .addOption(blobsOption())
    .addOption(addressOption())
    .addOption(portOption())
    .addOption(
      new Option("--drain-timeout <duration>", "how long running tasks may continue after Ctrl-C")
        .default(defaults.upDrainTimeoutMs, "10s")
        .argParser(duration),
    )
    .action(
      action(async (context, flags: UpFlags) => {
        const { runUp } = await import("../up/run.ts");
        return runUp(context, { ...flags, masterCount: masterCount(context, flags) });
      }, "server"),
    );
  const counts = masterCountOptions(
    "how many masters: one leads, the others are standbys; they listen on the next free ports from --port on",
    limits.upMastersMax,
    1,
  );
  for (const option of [
    ...counts,
    ...containerOptions(),
    ...clusterOptions(),
    ...tlsOptions(),
    proxyOption(),
    hostNamesOption(),
    ...logOptions(),
  ])
    up.addOption(option);
}
