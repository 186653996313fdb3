/**
 * Outlives a run by one moment: it is told on its standard input which processes the run has started (`+pid`) and seen end
 * (`-pid`), and when that input closes, however the run died, it kills those that are left.
 */
const pids = new Set<number>();
let rest = "";

// Ctrl-C reaches every process of the terminal's group; this one goes only after its parent.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});

process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const pid = Number(line.slice(1));
    if (line.startsWith("+")) pids.add(pid);
    else pids.delete(pid);
  }
});
process.stdin.on("close", () => {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone already, which is all that is wanted.
    }
  }
  process.exit(0);
});
