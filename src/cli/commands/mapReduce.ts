/** `outlast map-reduce`: runs a MapReduce job of a module and shows how it goes. */
import { type Command, Option } from "commander";
import { limits } from "../../model/limits.ts";
import { idArgument, json, labelList, positiveDuration, taskList, wholeNumber } from "../arguments.ts";
import { action } from "../context.ts";
import type { MapReduceFlags } from "../flags.ts";

export function mapReduceCommand(program: Command): void {
  program
    .command("map-reduce")
    .argument("<file>", "module that exports what mapReduce() returns")
    .option(
      "-c, --corpus <input…>",
      "input instead of the job's own: files, folders, patterns, http(s) and s3:// addresses, job:ID for the output of another job; 25mb and 250mb are made on first use",
      collect,
    )
    .option("-m, --maps <n>", "how many maps", wholeNumber(1, limits.jobMapsMax))
    .option("-r, --reduces <n>", "how many reduces", wholeNumber(1, limits.jobReducesMax))
    .option("-o, --output <folder>", "output folder, or s3://BUCKET/PREFIX, instead of the job's own")
    .option("--overwrite", "replace the output of an earlier job")
    .option("--job <name>", "which job of the file, if it holds several")
    .option("--params <json>", "what the job's functions find as ctx.params", json)
    .addOption(
      new Option("--compression <codec>", "of what travels between map and reduce").choices([
        "zstd",
        "deflate",
        "none",
      ]),
    )
    .option("--id <id>", "id of the task", idArgument)
    .option("--name <name>", "name of the task instead of the job's, shown in lists")
    .option("--queue <queue>", "queue of the job, its maps and its reduces", idArgument)
    .option(
      "--priority <n>",
      "of the job, its maps and its reduces; higher starts first",
      wholeNumber(limits.priorityMin, limits.priorityMax),
    )
    .option("--requires <labels>", "labels that its workers must have, separated by commas", labelList)
    .option("--deadline <duration>", "how long the job may take in all", positiveDuration)
    .option("--after <ids>", "start it once these tasks have succeeded, separated by commas", taskList)
    .option("--local", "run it in a cluster of this command's own, which ends with it")
    .option(
      "--workers <n>",
      "workers of that cluster; as many as this machine has cores if left out",
      wholeNumber(1, limits.workersMax),
    )
    .option("--detach", "print the id and do not wait")
    .action(
      action(async (context, file: string, flags: MapReduceFlags) => {
        const { runMapReduce } = await import("../mapReduce/run.ts");
        return runMapReduce(context, file, flags);
      }),
    );
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
