/**
 * Keeps what an Outlast process was started with from tasks, which often run as the same user and could read its environment in
 * `/proc/PID/environ`. Importing this file does it: it takes over what another process of Outlast has handed to this one, and
 * then removes every variable from the memory that `/proc` shows, except those that are no secret. `process.env` keeps all.
 *
 * Written so that Node 12 can still read it, because the launcher imports it.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "fs";

/** Names the descriptor from which a process reads the variables that are handed to it. */
const handedMark = "OUTLAST_ENVIRONMENT_FD";

/**
 * What may be seen: what tasks get anyway, what Node and the C library read before this code runs, and the marks by which a worker
 * finds the processes of its tasks.
 */
const open = new RegExp(
  "^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TERM|COLORTERM|FORCE_COLOR|NO_COLOR|XDG_[A-Z_]+" +
    "|LD_[A-Z_]+|DYLD_[A-Z_]+|MALLOC_[A-Z_]+|UV_[A-Z_]+|OPENSSL_CONF|SSL_CERT_(DIR|FILE)" +
    "|NODE_(OPTIONS|PATH|ENV|DEBUG|EXTRA_CA_CERTS|ICU_DATA|COMPILE_CACHE|V8_COVERAGE|NO_WARNINGS|UNIQUE_ID|CHANNEL_[A-Z_]+)" +
    "|OUTLAST_(HOME|WORKER|BOOT|TASK|ATTEMPT|RUNNER|LAUNCHED|ENVIRONMENT_FD))$",
);
/** More than this is not handed over: Linux takes no variable of more than 128 KiB. */
const handedCharactersMax = 60000;
const tokenOption = "--token";
/** O_CLOEXEC as fdinfo shows it. */
const closeOnExec = 0o2000000;

takeHanded();
takeTokenArgument();
if (process.platform === "linux") {
  try {
    closeForeign();
    hide();
  } catch {
    // No /proc, or one that does not allow it. The worker says so where it matters.
  }
}

/**
 * Splits an environment for a process that runs this file, too: into variables that everybody may see, and a text for the
 * descriptor that `OUTLAST_ENVIRONMENT_FD` names.
 */
export function handOver(env, descriptor) {
  const shown = {};
  const hidden = {};
  let characters = 0;
  Object.keys(env).forEach(function (name) {
    const value = env[name];
    if (value === undefined) return;
    const length = JSON.stringify(value).length + name.length;
    // Elsewhere there is no /proc to keep it from.
    const isShown = process.platform !== "linux" || open.test(name) || isBroken(value);
    if (isShown || characters + length > handedCharactersMax) shown[name] = value;
    else {
      hidden[name] = value;
      characters += length;
    }
  });
  if (characters > 0) shown[handedMark] = String(descriptor);
  return { env: shown, text: characters > 0 ? JSON.stringify(hidden) : null };
}

function takeHanded() {
  const descriptor = Number(process.env[handedMark]);
  delete process.env[handedMark];
  if (!(descriptor > 2)) return;
  Object.assign(process.env, JSON.parse(readFileSync(descriptor, "utf8")));
  closeSync(descriptor);
}

/** A token on the command line becomes a variable, so that it is not passed on where every user can read it. */
function takeTokenArgument() {
  const end = process.argv.indexOf("--");
  for (let at = 2; at < (end < 0 ? process.argv.length : end); at++) {
    const word = process.argv[at];
    const isPair = word === tokenOption && at + 1 < process.argv.length;
    if (!isPair && word.indexOf(tokenOption + "=") !== 0) continue;
    process.env["OUTLAST_TOKEN"] = isPair ? process.argv[at + 1] : word.slice(tokenOption.length + 1);
    process.argv.splice(at, isPair ? 2 : 1);
    return;
  }
}

/**
 * Closes descriptors that whoever started this process left open by mistake, since tasks would have them, too. Node sees to the
 * first sixteen itself (uv_disable_stdio_inheritance).
 */
function closeForeign() {
  const directory = "/proc/self/fdinfo/";
  readdirSync(directory).forEach(function (name) {
    if (Number(name) < 16) return;
    try {
      const flags = parseInt(/^flags:\s*(\d+)$/m.exec(readFileSync(directory + name, "latin1"))[1], 8);
      if ((flags & closeOnExec) === 0) closeSync(Number(name));
    } catch {
      // It was the descriptor of this very look.
    }
  });
}

function hide() {
  // See proc_pid_stat(5): where the arguments and the environment begin, which the kernel put there at the start.
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const argumentsAt = Number(fields[45]);
  const environmentAt = Number(fields[47]);
  const memory = openSync("/proc/self/mem", "r+");
  try {
    hideArguments(memory, argumentsAt);
    hideVariables(memory, environmentAt);
  } finally {
    closeSync(memory);
  }
}

function hideVariables(memory, start) {
  eachText("/proc/self/environ", function (bytes, at) {
    const name = bytes.toString("latin1").split("=", 1)[0];
    const value = process.env[name];
    if (name === "" || open.test(name) || (value !== undefined && isBroken(value))) return;
    // Assigning copies it to a place of its own. Nothing refers to the old one then.
    if (value !== undefined) process.env[name] = value;
    writeSync(memory, Buffer.alloc(bytes.length), 0, bytes.length, start + at);
  });
}

function hideArguments(memory, start) {
  let isToken = false;
  let isOver = false;
  eachText("/proc/self/cmdline", function (bytes, at) {
    const word = bytes.toString("latin1");
    const skipped = isToken ? 0 : word.indexOf(tokenOption + "=") === 0 ? tokenOption.length + 1 : null;
    if (!isOver && skipped !== null && bytes.length > skipped)
      writeSync(memory, Buffer.alloc(bytes.length - skipped, "*"), 0, bytes.length - skipped, start + at + skipped);
    isToken = word === tokenOption;
    isOver = isOver || word === "--";
  });
}

/** Calls `look` with each of the texts that end with a zero byte, and where in the file it begins. */
function eachText(path, look) {
  const bytes = readFileSync(path);
  let at = 0;
  while (at < bytes.length) {
    const next = bytes.indexOf(0, at);
    const end = next < 0 ? bytes.length : next;
    look(bytes.subarray(at, end), at);
    at = end + 1;
  }
}

/** Not all of its bytes have become characters, so it cannot be copied. */
function isBroken(value) {
  return value.indexOf("\ufffd") >= 0;
}
