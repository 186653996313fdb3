/** Files of a test's cluster: blobs in memory behind its masters, and folders of attempts on the disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBlobs } from "../blobs/memory/blobs.ts";
import type { MasterService } from "../master/service/masterService.ts";
import { OutlastError } from "../model/errors.ts";
import { type BlobAccess, BlobsUnavailable } from "../ports/blobs.ts";
import { type AttemptFolders, OwnFolders } from "../worker/folders/attemptFolder.ts";

export class TestFiles {
  readonly blobs = new MemoryBlobs();
  readonly #leader: () => MasterService | null;
  #parent: string | null = null;

  constructor(leader: () => MasterService | null) {
    this.#leader = leader;
  }

  /** What one boot of a worker has: a way to the files of masters, and a place for those of its attempts. */
  machineOf(boot: string): { readonly blobs: BlobAccess; readonly attemptFolders: AttemptFolders } {
    const attemptFolders: AttemptFolders = {
      make: () => {
        this.#parent ??= mkdtempSync(join(tmpdir(), "outlast-testing-"));
        return new OwnFolders(join(this.#parent, boot)).make();
      },
      clear: async () => undefined,
    };
    return { blobs: this.#access, attemptFolders };
  }

  /** Removes what attempts have left that were killed. */
  remove(): void {
    if (this.#parent !== null) rmSync(this.#parent, { recursive: true, force: true });
  }

  readonly #access: BlobAccess = {
    getBlob: async (sha256) => {
      try {
        return await this.#ask().read(sha256);
      } catch (error) {
        if (error instanceof OutlastError && error.code === "not-found") return null;
        throw error;
      }
    },
    putBlob: (content) => this.#ask().put(content),
  };

  #ask(): MasterService["blobs"] {
    const leader = this.#leader();
    if (leader === null) throw new BlobsUnavailable("network", "No master leads.");
    return leader.blobs;
  }
}

export async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
