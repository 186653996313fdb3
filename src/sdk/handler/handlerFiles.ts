/** `ctx.files`, over the requests of a handler to its worker. */
import type { FilesAnswer, FilesRequest } from "../../model/attemptFiles.ts";
import { toBlobReference } from "../../model/blob.ts";
import type { AttemptFiles } from "./context.ts";

type Ask = (asked: FilesRequest) => Promise<Exclude<FilesAnswer, { problem: unknown }>>;

export function filesOver(ask: Ask): AttemptFiles {
  const pathOf = async (asked: FilesRequest): Promise<string> => {
    const answer = await ask(asked);
    if ("path" in answer) return answer.path;
    throw new Error("The worker answered with no path.");
  };
  return {
    folder: () => pathOf({ do: "folder" }),
    input: (reference, path = reference.replace(":", "-")) => pathOf({ do: "input", reference, path }),
    async publish(path) {
      const answer = await ask({ do: "publish", path });
      if ("path" in answer) throw new Error("The worker answered with no blob.");
      return { blob: toBlobReference(answer.sha256), size: answer.size };
    },
  };
}
