/** Input at http(s) addresses: in parts where the server gives parts, else from its beginning to its end. */
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { OpenInput } from "../coordinator/mapWork.ts";
import type { PlannedFile } from "../coordinator/settings.ts";
import { plannedFile, storedVersion } from "./plannedFile.ts";
import { SequentialInput } from "./sequentialInput.ts";

export const isWeb = (path: string) => /^https?:\/\//.test(path);

/** Bytes as they are stored, if the server does that: parts of something compressed on its way are of no use. */
const plain = { "accept-encoding": "identity" } as const;

export async function findWebInput(path: string): Promise<PlannedFile> {
  const { headers } = await headOf(path);
  const encoding = headers.get("content-encoding") ?? "identity";
  const isPacked = encoding !== "identity" && encoding !== "";
  const length = isPacked ? null : headers.get("content-length");
  const size = length === null ? Number.NaN : Number(length);
  const isSizeKnown = Number.isSafeInteger(size) && size >= 0;
  const version = versionIn(headers);
  const isDivisible = headers.get("accept-ranges") === "bytes" && version !== "" && isSizeKnown;
  return plannedFile({
    path,
    size: isSizeKnown ? size : 0,
    version,
    isStream: !isDivisible,
    isUnpacked: isPacked,
  });
}

async function headOf(path: string): Promise<Response> {
  const head = await request(path, "HEAD");
  if (head.ok) return head;
  // Not every server knows HEAD.
  const answer = await request(path, "GET");
  await answer.body?.cancel();
  if (answer.ok) return answer;
  const message = `${path} answered ${answer.status}.`;
  const isForGood = answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429;
  throw isForGood ? new NonRetryableError(message) : new Error(message);
}

async function request(path: string, method: "GET" | "HEAD", headers: Record<string, string> = {}): Promise<Response> {
  try {
    return await fetch(path, { method, headers: { ...plain, ...headers } });
  } catch (error) {
    // By itself it says no more than that it failed.
    const { cause } = error as Error;
    throw new Error(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(error)}`, {
      cause: error,
    });
  }
}

function versionIn(headers: Headers): string {
  return headers.get("etag") ?? headers.get("last-modified") ?? "";
}

/** Its stored bytes. */
export function openWebInput(file: PlannedFile): OpenInput {
  return file.isStream === true ? new SequentialInput(streamed(file)) : new AddressedFile(file);
}

async function* streamed(file: PlannedFile): AsyncGenerator<Uint8Array, void, undefined> {
  const { path, size } = file;
  const version = storedVersion(file);
  const answer = await request(path, "GET");
  if (!answer.ok || answer.body === null) throw new Error(`${path} answered ${answer.status}.`);
  if (version !== "" && versionIn(answer.headers) !== version) {
    await answer.body.cancel();
    throw changed(file);
  }
  let count = 0;
  for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
    count += piece.length;
    yield piece;
  }
  if (size !== 0 && count !== size) throw new Error(`${path} ended after ${count} of ${size} bytes.`);
}

class AddressedFile implements OpenInput {
  readonly #file: PlannedFile;

  constructor(file: PlannedFile) {
    this.#file = file;
  }

  async read(target: Buffer, position: number): Promise<number> {
    const { path, size } = this.#file;
    if (position >= size) return 0;
    const last = Math.min(size, position + target.length) - 1;
    const answer = await request(path, "GET", { range: `bytes=${position}-${last}` });
    if (answer.status !== 206) throw new Error(`${path} answered ${answer.status} to a request for a part.`);
    if (versionIn(answer.headers) !== storedVersion(this.#file)) throw changed(this.#file);
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (bytes.length === 0) throw new Error(`${path} gave nothing from byte ${position} on, and has ${size}.`);
    return bytes.copy(target);
  }

  async close(): Promise<void> {}
}

/** What to throw when a file is not the one that was planned. */
export function changed({ path }: PlannedFile): NonRetryableError {
  return new NonRetryableError(`${path} was changed while the job ran. Submit the job again.`);
}
