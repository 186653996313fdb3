/** Spreads seeds over processes. */
import { fork } from "node:child_process";
import { join } from "node:path";
import type { SeedReport } from "./seedReport.ts";

export interface PoolOptions {
  readonly processes: number;
  readonly isOnce: boolean;
  /** The next seed to run; null when it is enough. */
  readonly next: () => number | null;
  readonly onReport: (report: SeedReport) => void;
}

export async function runPool({ processes, isOnce, next, onReport }: PoolOptions): Promise<void> {
  const shard = join(import.meta.dirname, "shard.ts");
  await Promise.all(
    Array.from({ length: processes }, () => {
      const child = fork(shard, isOnce ? ["--once"] : []);
      child.on("message", (message: SeedReport | "ready") => {
        if (message !== "ready") onReport(message);
        const seed = next();
        if (seed === null) child.disconnect();
        else child.send(seed);
      });
      return new Promise<void>((resolve, reject) => {
        child.on("exit", (code) =>
          code === 0 ? resolve() : reject(new Error(`a process of the simulation ended with ${code}`)),
        );
      });
    }),
  );
}
