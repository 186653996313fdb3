/**
 * A process that deals with files of tasks for a worker, as the user that tasks have: takes requests from its stdin, one after
 * another, and answers on its stdout. It ends when its stdin does.
 */
import { FolderProblem } from "./fileTree.ts";
import { FrameReader, type TreeAnswer, type TreeRequest, writeFrame } from "./frames.ts";
import { LocalFileTree } from "./localFileTree.ts";

const input = new FrameReader(process.stdin);

for (;;) {
  const frame = await input.next();
  if (frame === null) break;
  if (frame.kind !== "message") continue;
  const answer = await carryOut(frame.value as TreeRequest);
  await writeFrame(process.stdout, { kind: "message", value: answer });
}

async function carryOut(request: TreeRequest): Promise<TreeAnswer> {
  try {
    return { kind: "done", value: (await act(request, new LocalFileTree(request.root))) ?? null };
  } catch (error) {
    if (error instanceof FolderProblem) return { kind: "problem", code: error.code, message: error.message };
    const { code, message } = error as NodeJS.ErrnoException;
    return { kind: "failure", ...(code !== undefined && { code }), message };
  }
}

async function act(request: TreeRequest, tree: LocalFileTree): Promise<unknown> {
  switch (request.do) {
    case "make":
      return tree.make(request.mode);
    case "put": {
      const content = received();
      try {
        return await tree.put(request.name, content);
      } finally {
        // What is left of it after a failure must not be taken for the next request.
        for await (const _ of content) continue;
      }
    }
    case "discard":
      return tree.discard(request.name);
    case "find":
      return tree.find(request.patterns);
    case "read":
      for await (const bytes of tree.read(request.path))
        await writeFrame(process.stdout, { kind: "data", bytes: Buffer.from(bytes) });
      return undefined;
    case "remove":
      return tree.remove();
    default:
      return request satisfies never;
  }
}

/** The content of a file that follows a request. It can be gone on with after somebody has stopped reading it. */
function received(): AsyncIterable<Uint8Array> {
  let isOver = false;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    if (isOver) return { done: true, value: undefined };
    const frame = await input.next();
    if (frame?.kind === "data") return { done: false, value: frame.bytes };
    isOver = true;
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
