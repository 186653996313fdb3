/** What servers for tests have in common, whatever they serve: a folder, a process that is killed or ended, and nothing left of both. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const stopMsMax = 5_000;

export class TestServerProcess {
  /** Where it keeps its data. */
  protected readonly folder: string;
  protected process: ChildProcess | null = null;
  readonly #isTemporary: boolean;
  readonly #killOnExit = (): void => void this.process?.kill("SIGKILL");

  /**
   * @param prefix of the temporary folder
   * @param folder a temporary one that goes with the server, if left out
   */
  constructor(prefix: string, folder: string | undefined) {
    this.#isTemporary = folder === undefined;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), prefix));
    process.on("exit", this.#killOnExit);
  }

  /** As if the machine had gone: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  /** Ends it for good, its data too if they were temporary. */
  async stop(): Promise<void> {
    process.off("exit", this.#killOnExit);
    const child = this.process;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await Promise.race([exit, setTimeout(stopMsMax, null, { ref: false })]);
      await this.kill();
    }
    if (this.#isTemporary) rmSync(this.folder, { recursive: true, force: true });
  }
}
