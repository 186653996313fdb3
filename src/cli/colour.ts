/** Colours for people: off without a terminal, with NO_COLOR and with --no-color. */
import { styleText } from "node:util";
import type { TaskState } from "../model/task.ts";
import type { WorkerState } from "../model/worker.ts";
import type { MasterState } from "../sdk/masters.ts";

export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_colour, text) => text;
export const painted: Paint = (colour, text) => styleText(colour, text, { validateStream: false });

/** https://no-color.org: any value that is not empty turns colours off. FORCE_COLOR turns them on in a pipe. */
export function paintFor(stream: { isTTY?: boolean }, isWanted: boolean, env: NodeJS.ProcessEnv): Paint {
  if (!isWanted || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb") return plain;
  if ((env["FORCE_COLOR"] ?? "0") !== "0") return painted;
  return stream.isTTY === true ? painted : plain;
}

export const taskColours: { readonly [State in TaskState]: Colour | null } = {
  created: null,
  blocked: "dim",
  running: "cyan",
  waiting: "blue",
  retrying: "yellow",
  killed: "magenta",
  success: "green",
  failed: "red",
  cancelled: "dim",
  skipped: "dim",
};

export const workerColours: { readonly [State in WorkerState]: Colour } = {
  connected: "green",
  suspect: "yellow",
  lost: "red",
  gone: "dim",
};

export const masterColours: { readonly [Role in MasterState["role"]]: Colour | null } = {
  leader: "green",
  standby: null,
  starting: "dim",
  stopping: "dim",
  outdated: "yellow",
  silent: "red",
};
