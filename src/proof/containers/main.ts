/** The program behind `deploy/run` and `deploy/run-stress`: the demonstrations of `outlast demo` and `stress`, in containers. */
import { Command, CommanderError } from "commander";
import { type DemoFlags, describeDemo, planDemo, toExitCode } from "../../cli/commands/demo.ts";
import { action } from "../../cli/context.ts";
import { exitCodes } from "../../cli/exitCodes.ts";
import { acceptBehindCommands } from "../../cli/globalOptions.ts";
import { runDemo } from "../demo/demo.ts";
import { runStress } from "../demo/stress.ts";
import { ContainerPlace } from "./containerPlace.ts";
import { Engine, readToken } from "./engine.ts";

/** Some tasks must outlast the start of a container. */
const sleepMaxMs = 6_000;

const program = new Command("deploy")
  .option("--json", "the closing table as JSON")
  .option("--no-color", "no colours (NO_COLOR does the same)")
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

describeDemo(program, "run", { tasks: 100, sleepMaxMs, directory: "deploy-run" })
  .description("run tasks in containers, kill a master and workers meanwhile, and check that nothing is lost")
  .action(
    action(async (context, flags: DemoFlags) =>
      toExitCode(await runDemo({ ...planDemo(context, "deploy/run", flags), place: openPlace() })),
    ),
  );
describeDemo(program, "run-stress", { tasks: 200, sleepMaxMs, directory: "deploy-stress-run" })
  .description("the same, with something killed, restarted or added every half second")
  .action(
    action(async (context, flags: DemoFlags) =>
      toExitCode(await runStress({ ...planDemo(context, "deploy/run-stress", flags), place: openPlace() })),
    ),
  );
acceptBehindCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}

function openPlace(): ContainerPlace {
  return new ContainerPlace(Engine.find(process.env), readToken(process.env));
}
