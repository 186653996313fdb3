/** `outlast doctor`: looks over this machine and its masters, and says what to do about what it finds. */
import type { Command } from "commander";
import { action, type Context } from "../context.ts";
import type { Finding } from "../doctor/finding.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { dataOption } from "../serverOptions.ts";

interface DoctorFlags {
  readonly data: string;
  readonly store?: string;
  readonly blobs?: string;
}

export function doctorCommand(program: Command): void {
  program
    .command("doctor")
    .addOption(dataOption())
    .option("--store <store>", "check only this store: sqlite:FILE or mongodb://HOST/DATABASE")
    .option(
      "--blobs <place>",
      "check only this place for files, with a small file: directory:PATH, gridfs: (with --store) or s3://BUCKET/PREFIX",
    )
    .action(action(doctor));
}

async function doctor(context: Context, flags: DoctorFlags): Promise<ExitCode> {
  const { output } = context;
  const marks = {
    good: output.paint("green", "ok  "),
    odd: output.paint("yellow", "note"),
    bad: output.paint("red", "BAD "),
  };
  const findings: Finding[] = [];
  for await (const finding of await examineWhat(context, flags)) {
    findings.push(finding);
    if (output.isJson) continue;
    const { verdict, what, message, advice } = finding;
    output.line(`${marks[verdict]}  ${output.paint("bold", what.padEnd(10))} ${message}`);
    if (advice !== null) output.line(`${" ".repeat(17)}${output.paint("dim", `→ ${advice}`)}`);
  }
  const isHealthy = findings.every((finding) => finding.verdict !== "bad");
  if (output.isJson) output.document({ isHealthy, findings });
  return isHealthy ? exitCodes.ok : exitCodes.failed;
}

async function examineWhat(context: Context, { data, store, blobs }: DoctorFlags) {
  if (blobs !== undefined) {
    const { examineBlobs } = await import("../doctor/examineBlobs.ts");
    return examineBlobs({ blobs, data, ...(store !== undefined && { store }) });
  }
  if (store !== undefined) {
    const { examineStore } = await import("../doctor/examineStore.ts");
    return examineStore(store);
  }
  const { examine } = await import("../doctor/examine.ts");
  return examine(context, data, (what) => context.output.note(`${what} …`));
}
