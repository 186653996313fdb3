#!/usr/bin/env node
/**
 * The command `outlast`: finds the program (the sources in a checkout, `dist/` in a package) and a Node that can run it.
 *
 * Written so that Node 12 can still read it, since its first duty is to say what is wrong with an old one.
 */
import { spawn } from "child_process";
import { existsSync } from "fs";
import module from "module";
import { constants, homedir } from "os";
import { dirname, join } from "path";
import { fileURLToPath, pathToFileURL } from "url";
import { handOver } from "./environment.js";

const oldestMajor = 24;
/** Set for a process that was started by `runWith`; its IPC channel closes when the launcher dies. */
const launchedMark = "OUTLAST_LAUNCHED";
/** When compiled code is written: a process that is killed cannot do so at its end. */
const cacheAfterMs = 1000;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Moves what is hidden from tasks out of the environment of a shell, and becomes the program behind. */
const hideInPipe = `
exec 4<<END
$OUTLAST_ENVIRONMENT
END
unset OUTLAST_ENVIRONMENT
exec "$@"
`;

/**
 * The first process of a container is the parent of every process that has lost its own, and must wait for each of them, or they
 * stay as zombies. Node waits for its own children only. A shell waits for all: it takes this place, starts the program, passes
 * signals on, and ends with the program's exit code.
 */
const firstProcess = `
exec 3<&0
"$@" <&3 3<&- &
child=$!
exec 3<&- 4<&-
for signal in TERM INT HUP QUIT USR1 USR2; do trap "kill -s $signal $child" $signal; done
while :; do
  wait $child
  code=$?
  kill -0 $child 2>/dev/null || break
done
wait $child 2>/dev/null
last=$?
[ $last -eq 127 ] || code=$last
exit $code
`;

if (process.pid === 1 && process.platform === "linux") becomeFirstProcess();
if (Number(process.versions.node.split(".")[0]) >= oldestMajor) {
  followLauncher();
  run();
} else {
  const ownNode = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(ownNode)) runWith(ownNode);
  else fail("outlast needs Node " + oldestMajor + " or newer, and this is " + process.version + ".");
}

function run() {
  cacheCode();
  const source = join(root, "src", "cli", "main.ts");
  const built = join(root, "dist", "cli", "main.js");
  if (existsSync(source)) import(pathToFileURL(source).href);
  else if (existsSync(built)) import(pathToFileURL(built).href);
  else fail("The installation of outlast is incomplete: " + built + " is missing. Install the package again.");
}

/**
 * Keeps compiled code for the next start, which then takes half the time. Where the package cannot be written, as after
 * an install by root, it goes into the user's own cache. Never into the folder for temporary files, where somebody else
 * might have put code for us to run. Where nothing can be written, commands start without it.
 */
function cacheCode() {
  if (typeof module.enableCompileCache !== "function") return;
  const own = module.enableCompileCache(join(root, "node_modules", ".cache", "outlast"));
  const failed = module.constants.compileCacheStatus.FAILED;
  if (own.status === failed) {
    const home = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
    if (module.enableCompileCache(join(home, "outlast")).status === failed) return;
  }
  setTimeout(module.flushCompileCache, cacheAfterMs).unref();
}

/** Returns only where this Node or this machine cannot do it. */
function becomeFirstProcess() {
  const shell = "/bin/sh";
  if (typeof process.execve === "function" && existsSync(shell)) {
    const program = [process.execPath].concat(process.execArgv, fileURLToPath(import.meta.url), process.argv.slice(2));
    const { env, text } = handOver(process.env, 4);
    if (text !== null) env["OUTLAST_ENVIRONMENT"] = text;
    const words = [shell, "-c", firstProcess, "outlast"].concat(program);
    process.execve(shell, text === null ? words : [shell, "-c", hideInPipe, "outlast"].concat(words), env);
  }
  const advice =
    "Start the container with an init process (docker run --init), or with Node " + oldestMajor + " or newer.";
  process.stderr.write("outlast is the first process of this container, and zombies will stay. " + advice + "\n");
}

/** Runs the program with another Node: passes signals on to it, and ends as it ends. */
function runWith(node) {
  const { env, text } = handOver(process.env, 4);
  env[launchedMark] = "1";
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), {
    env: env,
    stdio: ["inherit", "inherit", "inherit", "ipc"].concat(text === null ? [] : ["pipe"]),
  });
  if (text !== null) child.stdio[4].on("error", function () {}).end(text);
  child.on("error", function (error) {
    fail("outlast could not start " + node + ": " + error.message);
  });

  // A terminal sends Ctrl-C to both processes. A second copy would be taken for a second Ctrl-C.
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const signals = ["SIGTERM", "SIGHUP", "SIGUSR2", "SIGINT", "SIGQUIT", "SIGBREAK"];
  const fromTerminal = ["SIGINT", "SIGQUIT", "SIGBREAK"];
  signals.forEach(function (signal) {
    try {
      process.on(signal, function () {
        if (!(hasTerminal && fromTerminal.indexOf(signal) >= 0)) child.kill(signal);
      });
    } catch {
      // This system does not have that signal.
    }
  });

  child.on("exit", function (code, signal) {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // The kernel keeps signals from the first process of a container: it cannot end like its child, and says so by its code.
    setTimeout(function () {
      process.exit(128 + constants.signals[signal]);
    }, 100);
  });
}

/** Ends the program when its launcher dies, because whoever kills the launcher means the program. */
function followLauncher() {
  if (process.env[launchedMark] === undefined) return;
  delete process.env[launchedMark];
  if (!process.channel) return;
  process.on("disconnect", function () {
    process.kill(process.pid, "SIGKILL");
  });
  process.channel.unref();
}

function fail(sentence) {
  process.stderr.write(sentence + "\n");
  process.exitCode = 1;
}
