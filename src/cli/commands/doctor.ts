/** `outlast doctor`: looks over this machine and its masters, and says what to do about what it finds. */
import type { Command } from "commander";
import { action, type Context } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { dataOption } from "../serverOptions.ts";

export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .description(
      "check Node, the data directory, the store, the masters, their clocks and workers; exit code 1 if something is broken",
    )
    .addOption(dataOption())
    .option(
      "--store <store>",
      "examine this store instead: sqlite:FILE, or mongodb://HOST/DATABASE before it is trusted",
    )
    .action(action(doctor));
}

async function doctor(context: Context, flags: { readonly data: string; readonly store?: string }): Promise<ExitCode> {
  const findings = await examineWhat(context, flags);
  const { output } = context;
  const isHealthy = findings.every((finding) => finding.verdict !== "bad");
  if (output.isJson) output.document({ isHealthy, findings });
  else {
    const marks = {
      good: output.paint("green", "ok  "),
      odd: output.paint("yellow", "note"),
      bad: output.paint("red", "BAD "),
    };
    for (const { verdict, what, message, advice } of findings) {
      output.line(`${marks[verdict]}  ${output.paint("bold", what.padEnd(10))} ${message}`);
      if (advice !== null) output.line(`${" ".repeat(17)}${output.paint("dim", `→ ${advice}`)}`);
    }
  }
  return isHealthy ? exitCodes.ok : exitCodes.failed;
}

async function examineWhat(context: Context, { data, store }: { readonly data: string; readonly store?: string }) {
  if (store !== undefined) {
    const { examineStore } = await import("../doctor/examineStore.ts");
    return examineStore(store);
  }
  const { examine } = await import("../doctor/examine.ts");
  return examine(context, data);
}
