/** `outlast master`: the API and the scheduler, on one store. */
import type { Command } from "commander";
import { baseUrl, idArgument } from "../arguments.ts";
import { action } from "../context.ts";
import type { MasterFlags } from "../flags.ts";
import {
  addressOption,
  clusterOptions,
  dataOption,
  logOptions,
  portOption,
  stopOnStdinEndOption,
  storeOption,
} from "../serverOptions.ts";

export function masterCommand(program: Command): void {
  const master = program
    .command("master")
    .addOption(storeOption())
    .addOption(dataOption())
    .addOption(addressOption())
    .addOption(portOption())
    .option("--name <name>", "what the master is called; the machine's name if left out", idArgument)
    .option("--advertise <url>", "the address at which others reach it, if it is not the one it listens on", baseUrl)
    .addOption(stopOnStdinEndOption())
    .action(
      action(async (context, flags: MasterFlags) => {
        const { runMaster } = await import("../masterProcess.ts");
        return runMaster(context, flags);
      }, "server"),
    );
  for (const option of [...clusterOptions(), ...logOptions()]) master.addOption(option);
}
