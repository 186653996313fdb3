/** `outlast artifacts`: lists the files that a task has left, or downloads them. */
import { join } from "node:path";
import type { Command } from "commander";
import { relativePathProblem } from "../../model/kinds/execPaths.ts";
import type { Artifact } from "../../sdk/blobs.ts";
import { action, type Context } from "../context.ts";
import { formatBytes } from "../duration.ts";
import { LocalFailure } from "../failure.ts";
import { idOfNode, nodeArgument } from "../nodePlace.ts";
import { printable } from "../terminalText.ts";

interface ArtifactFlags {
  readonly get?: string | true;
}

export function artifactsCommand(program: Command): void {
  program
    .command("artifacts")
    .argument("<task>", "id of the task, or GRAPH/NODE", nodeArgument)
    .option("--get [directory]", "download them, into this directory; nothing that exists is overwritten")
    .action(action(artifacts));
}

async function artifacts(context: Context, place: string, { get }: ArtifactFlags): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const task = await idOfNode(client, place, signal);
  const found = await client.blobs.artifacts(task, { signal });
  if (get !== undefined) {
    const { downloadFile } = await import("../blobFiles.ts");
    const directory = get === true ? "." : get;
    for (const { path, sha256 } of found) {
      const problem = relativePathProblem(path);
      if (problem !== null) throw new LocalFailure(`A path that the master names is refused: ${problem}.`, null);
      await downloadFile(client, sha256, join(directory, path), signal);
      if (!output.isJson) output.line(printable(join(directory, path)));
    }
  }
  if (output.isJson) return output.document({ task, artifacts: found }) as undefined;
  if (found.length === 0) output.note("No artifacts. They are shown once the task is success.");
  if (get !== undefined) return;
  output.table<Artifact>(
    [
      { title: "PATH", text: ({ path }) => printable(path), isElastic: true },
      { title: "SIZE", text: ({ size }) => formatBytes(size), isRightAligned: true },
      { title: "SHA-256", text: ({ sha256 }) => sha256 },
    ],
    found,
  );
}
