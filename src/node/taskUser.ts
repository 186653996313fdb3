/** The user that tasks run as, where that is not the worker's own: who it is, how a process becomes it, and whether it can. */
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

export interface TaskUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** Tasks cannot run as another user on this machine. */
export class TaskUserRefused extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = "TaskUserRefused";
    this.hint = hint;
  }
}

const run = promisify(execFile);
const capabilityHint =
  "Start the worker as root, or with the capabilities CAP_SETUID, CAP_SETGID, CAP_KILL and CAP_SYS_PTRACE.";

/**
 * Looks the user up and tries everything out that a worker needs.
 * @param directory where tasks start
 * @throws TaskUserRefused
 */
export async function findTaskUser(name: string, directory: string): Promise<TaskUser> {
  const user = await lookUp(name);
  if (user.uid === 0) throw new TaskUserRefused("Tasks must not run as root.", "Name a user without rights.");
  if (user.uid === process.getuid?.()) {
    throw new TaskUserRefused(`The worker itself runs as ${name}.`, "Name another user, or start the worker as root.");
  }
  await tryOut(user, directory);
  return user;
}

/** What to put before a command so that it runs as this user, with its groups, without any capability; see setpriv(1). */
export function becomeOptions({ uid, gid }: TaskUser): readonly string[] {
  return ["--reuid", String(uid), "--regid", String(gid), "--init-groups", "--inh-caps=-all", "--ambient-caps=-all"];
}

/** What of a worker's environment is another's for tasks of this user. `TMPDIR` may be a directory that only the worker may use. */
export function environmentOf({ name, home, shell }: TaskUser): { readonly [name: string]: string | undefined } {
  return { HOME: home, USER: name, LOGNAME: name, SHELL: shell, TMPDIR: undefined };
}

async function lookUp(name: string): Promise<TaskUser> {
  // Asks for users in a directory service, too; passwd(5) has the fields.
  const { stdout } = await run("getent", ["passwd", "--", name]).catch(() => ({ stdout: "" }));
  const [found = "", , uid = "", gid = "", , home = "/", shell = "/bin/sh"] = stdout.trim().split(":");
  if (found === "" || !/^\d+$/.test(uid) || !/^\d+$/.test(gid))
    throw new TaskUserRefused(`This machine has no user ${name}.`, "Make one, for example with: useradd --system NAME");
  return { name: found, uid: Number(uid), gid: Number(gid), home, shell };
}

/** Starts a process as this user that waits, looks for it as the clean-up of an attempt does, and kills it. */
function tryOut(user: TaskUser, directory: string): Promise<void> {
  const mark = `OUTLAST_TRIAL=${process.pid}`;
  const [variable = "", value = ""] = mark.split("=");
  return new Promise((resolve, reject) => {
    const refuse = (what: string, hint = capabilityHint) =>
      reject(new TaskUserRefused(`Tasks cannot run as ${user.name}: ${what}`, hint));
    const child = spawn(
      "setpriv",
      [...becomeOptions(user), "--", "/bin/sh", "-c", 'cd "$1" && echo && read line', "sh", directory],
      {
        cwd: "/",
        env: { PATH: process.env["PATH"] ?? "", [variable]: value },
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
    let complaint = "";
    child.stderr.on("data", (bytes: Buffer) => (complaint += bytes.toString()));
    child.stdin.on("error", () => {});
    child.once("error", () => refuse("there is no setpriv(1) on this machine.", "Install util-linux."));
    child.once("close", (_code, signal) => {
      if (signal === "SIGKILL") resolve();
      else if (complaint.includes("cd:"))
        refuse(`they start in ${directory}, which this user may not enter.`, "Start the worker in another directory.");
      else refuse(`${complaint.trim() || "setpriv failed"}.`);
    });
    child.stdout.once("data", () => {
      try {
        if (!readFileSync(`/proc/${child.pid}/environ`, "latin1").includes(mark)) throw new Error("not its own");
      } catch {
        refuse("this worker may not look for what a task leaves behind (/proc/PID/environ).");
        child.stdin.end();
        return;
      }
      if (!child.kill("SIGKILL")) {
        refuse("this worker may not end its processes.");
        child.stdin.end();
      }
    });
  });
}
