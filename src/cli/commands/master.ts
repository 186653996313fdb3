/** `outlast master`: the API and the scheduler, on one store. */
import type { Command } from "commander";
import { baseUrl, idArgument } from "../arguments.ts";
import { action } from "../context.ts";
import type { MasterFlags } from "../flags.ts";
import {
  addressOption,
  allowFaultsOption,
  blobsOption,
  clusterOptions,
  dataOption,
  hostNamesOption,
  logOptions,
  otlpOption,
  portOption,
  proxyOption,
  stopOnStdinEndOption,
  storeOption,
  tlsOptions,
  webhookPrivateOption,
} from "../serverOptions.ts";

export function masterCommand(program: Command): void {
  const master = program
    .command("master")
    .addOption(storeOption())
    .addOption(blobsOption())
    .addOption(dataOption())
    .addOption(addressOption())
    .addOption(portOption())
    .option("--name <name>", "name of the master; default: the name of the machine", idArgument)
    .option(
      "--advertise <url>",
      "address at which other machines reach this master, if it is not the one it listens on",
      baseUrl,
    )
    .addOption(webhookPrivateOption())
    .addOption(otlpOption())
    .addOption(stopOnStdinEndOption())
    .addOption(allowFaultsOption())
    .action(
      action(async (context, flags: MasterFlags) => {
        const { runMaster } = await import("../masterProcess.ts");
        return runMaster(context, flags);
      }, "server"),
    );
  for (const option of [...clusterOptions(), ...tlsOptions(), proxyOption(), hostNamesOption(), ...logOptions()])
    master.addOption(option);
}
