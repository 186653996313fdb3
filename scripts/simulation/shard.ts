/** One process of a run over many seeds: runs each seed that its parent sends, and sends back what came of it. */
import { runSeed } from "./seedReport.ts";

const isOnce = process.argv.includes("--once");

process.on("message", (seed: number) => {
  runSeed(seed, isOnce).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send?.("ready");
