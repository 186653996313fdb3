/** Where the attempts of a worker have their files, and the socket by which commands talk with their tasks. */
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { directoryMark } from "../node/processes.ts";
import { becomeOptions, type TaskUser } from "../node/taskUser.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { bootMarks, type Environment, type ExecutorIdentity, workerMarks } from "../worker/executors/environment.ts";
import type { ExecutorOptions } from "../worker/executors/executor.ts";
import { OwnFolders } from "../worker/folders/attemptFolder.ts";
import { UserFolders } from "../worker/folders/userFolders.ts";
import type { WorkerPlace } from "./workerName.ts";

export interface PlaceOptions {
  readonly place: WorkerPlace;
  /** The worker's data directory; absolute. */
  readonly data: string;
  /** The user of tasks; null for the worker's own. */
  readonly user: TaskUser | null;
  readonly identity: ExecutorIdentity;
  readonly clock: Clock;
  readonly log: Log;
}

type AttemptPlaces = Pick<ExecutorOptions, "attemptFolders" | "attemptSocket">;

/** Where the user of tasks cannot have files, tasks that need some are refused one by one, and the log says why. */
export async function openAttemptPlaces(options: PlaceOptions): Promise<Partial<AttemptPlaces>> {
  const { place, data, user, clock, log } = options;
  const own = join(place.directory, "attempts");
  if (user === null)
    return {
      attemptFolders: new OwnFolders(own),
      attemptSocket: { path: await socketPath(place.directory), isForOthers: false },
    };
  // Not in the directory of the worker, which nobody else may enter.
  const shared = join(data, "attempts", place.name);
  const attemptFolders = new UserFolders({
    ...{ own, shared, clock },
    argv: ["setpriv", ...becomeOptions(user), "--pdeathsig", "KILL", "--", process.execPath, treeProgram],
    env: environmentOf(options.identity),
  });
  try {
    await attemptFolders.open();
  } catch (error) {
    const hint = "The user must be allowed to enter the data directory and those above it, and to read Outlast itself.";
    log.warn("tasks cannot have files here, and commands cannot talk with their tasks", {
      ...{ worker: place.name, user: user.name, folder: shared, error, hint },
    });
    return {};
  }
  return { attemptFolders, attemptSocket: { path: await socketPath(shared), isForOthers: true } };
}

/** Beside this folder, as source in a checkout and built in a package. */
const treeProgram = fileURLToPath(new URL(`../worker/folders/treeProgram${extname(import.meta.url)}`, import.meta.url));

function environmentOf(identity: ExecutorIdentity): Environment {
  const env: { [name: string]: string } = { PATH: process.env["PATH"] ?? "" };
  for (const mark of [...workerMarks(identity), ...bootMarks(identity)]) {
    const [name = "", value = ""] = mark.split("=", 2);
    env[name] = value;
  }
  return env;
}

/** The path of a socket has 107 bytes at most on Linux, 103 elsewhere. */
async function socketPath(directory: string): Promise<string> {
  const path = join(directory, "attempts.sock");
  return Buffer.byteLength(path) <= 100 ? path : join(tmpdir(), `outlast-${await directoryMark(directory)}.sock`);
}
