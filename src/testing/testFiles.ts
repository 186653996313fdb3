/** Files of a test's cluster: blobs in memory behind its masters, and folders of attempts on the disk. */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBlobs } from "../blobs/memory/blobs.ts";
import type { MasterService } from "../master/service/masterService.ts";
import { OutlastError } from "../model/errors.ts";
import { BlobsUnavailable } from "../ports/blobs.ts";
import { OwnFolders } from "../worker/folders/attemptFolder.ts";
import type { FilesMachine } from "../worker/runners/attemptFiles.ts";

export class TestFiles {
  readonly blobs = new MemoryBlobs();
  readonly #leader: () => MasterService | null;
  /** Made with the first folder in it. */
  readonly #parent = join(tmpdir(), `outlast-testing-${randomUUID()}`);

  constructor(leader: () => MasterService | null) {
    this.#leader = leader;
  }

  /** What each worker has: a way to the files of masters, and a place for those of its attempts. */
  readonly machine: Omit<FilesMachine, "clock"> = {
    blobs: {
      getBlob: async (sha256) => {
        try {
          return await this.#ask().read(sha256);
        } catch (error) {
          if (error instanceof OutlastError && error.code === "not-found") return null;
          throw error;
        }
      },
      putBlob: (content) => this.#ask().put(content),
    },
    attemptFolders: new OwnFolders(this.#parent),
  };

  /** Removes what attempts have left that were killed. */
  remove(): void {
    rmSync(this.#parent, { recursive: true, force: true });
  }

  #ask(): MasterService["blobs"] {
    const leader = this.#leader();
    if (leader === null) throw new BlobsUnavailable("network", "No master leads.");
    return leader.blobs;
  }
}
