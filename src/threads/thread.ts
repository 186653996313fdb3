/** Threads of this program: each finds its code compiled, as the process does that starts it, and keeps it so for the next start. */
import { flushCompileCache, getCompileCacheDir } from "node:module";
import { env } from "node:process";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** When compiled code is written: a process that is killed cannot do so at its end. */
const cacheAfterMs = 1000;

/**
 * @param file what the thread runs: the source in a checkout, what was built of it in a package
 * @returns the thread. Node gives a thread the setting of its process for compiled code by its environment alone.
 */
export function startThread(file: URL, options: WorkerOptions = {}): Worker {
  const folder = env["NODE_COMPILE_CACHE"] ?? getCompileCacheDir();
  return new Worker(file, folder === undefined ? options : { ...options, env: { ...env, NODE_COMPILE_CACHE: folder } });
}

/** To be called inside of a thread that may never end by itself. */
export function keepCompiledCode(): void {
  setTimeout(flushCompileCache, cacheAfterMs).unref();
}
