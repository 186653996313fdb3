/** Word counts in the cluster, as `deploy/kubernetes/map-reduce` runs them: submitted by the client's image, over the shared folder. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { until } from "../../src/proof/cluster/until.ts";
import { plainWordCount, sortedLines } from "../../src/proof/demo/plainWordCount.ts";
import { imageOf, testEnvironment } from "../deploy/testEngine.ts";
import type { OutlastCluster } from "./outlastCluster.ts";
import { volumePath } from "./overlay.ts";

const manifest = "deploy/kubernetes/map-reduce/wordcount.yaml";
const jobMsMax = 8 * 60_000;

/** As far as it is changed here. */
interface JobObject {
  readonly metadata: { name: string };
  readonly spec: { readonly template: { readonly spec: { readonly containers: [{ image: string; args: string[] }] } } };
}

export interface WordCount {
  /** A built-in corpus. */
  readonly corpus: string;
  readonly maps: number;
  readonly reduces: number;
}

/** The ConfigMap and the Secret that the manifest names. */
export async function prepareWordCount(cluster: OutlastCluster): Promise<void> {
  const token = `token=${testEnvironment["OUTLAST_TOKEN"]}`;
  await cluster.kubectl("create", "secret", "generic", "client", "--from-literal", token);
  await cluster.kubectl("create", "configmap", "jobs", "--from-file", "examples/map-reduce/wordcount.ts");
}

/** Runs the job to its end. @throws Error with what its client printed if it failed */
export async function runWordCount(cluster: OutlastCluster, folder: string, count: WordCount): Promise<void> {
  const name = nameOf(count);
  const job = parse(readFileSync(manifest, "utf8")) as JobObject;
  job.metadata.name = name;
  const [client] = job.spec.template.spec.containers;
  client.image = imageOf("client");
  const given: { readonly [option: string]: string } = {
    "--corpus": count.corpus,
    "--maps": String(count.maps),
    "--reduces": String(count.reduces),
    "--output": `/shared/${name}`,
    "--id": name,
  };
  client.args = client.args.map((word, index, words) => given[words[index - 1] ?? ""] ?? word);
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(job));
  await cluster.kubectl("apply", "--filename", file);
  const isOver = (condition: "Complete" | "Failed") =>
    cluster
      .kubectl("get", "job", name, "--output", `jsonpath={.status.conditions[?(@.type=="${condition}")].status}`)
      .then((status) => status === "True");
  const end = await until(`${name} to end`, jobMsMax, async () => {
    if (await isOver("Complete")) return "complete";
    return (await isOver("Failed")) ? "failed" : null;
  });
  if (end === "complete") return;
  throw new Error(`${name} failed; its client printed:\n${await cluster.kubectl("logs", `job/${name}`)}`);
}

/** The lines of the output, and those of a plain program over the same text: both sorted. */
export async function outputsOf(
  folder: string,
  count: WordCount,
): Promise<{ readonly found: Buffer; readonly expected: Buffer; readonly parts: number }> {
  const shared = volumePath(folder, "shared");
  const output = join(shared, nameOf(count));
  const parts = readdirSync(output).filter((name) => name.startsWith("part-"));
  const lines = parts.flatMap((part) =>
    readFileSync(join(output, part), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => Buffer.from(`${line}\n`)),
  );
  const corpora = join(shared, "cache", "outlast", "corpora");
  const text = readdirSync(corpora).find((name) => name.startsWith(`${count.corpus}-`));
  return {
    found: sortedLines(lines),
    expected: await plainWordCount(join(corpora, text ?? count.corpus)),
    parts: parts.length,
  };
}

function nameOf({ corpus }: WordCount): string {
  return `wordcount-${corpus}`;
}
