/** A place other than this machine where the processes of a cluster live, such as containers. */
import type { Life } from "./lives.ts";

export interface ProcessSettings {
  /** Where clients on this machine are to reach a master; null for a worker. */
  readonly port: number | null;
  /** How many tasks a worker takes at a time. */
  readonly capacity: number;
  /** What all masters are called. */
  readonly masters: readonly string[];
}

export interface ClusterHost {
  /** Added to the environment of every command. */
  readonly environment: { readonly [name: string]: string };
  /** What is run here for one life of a process: it passes its stdout and stderr on, and ends when the process does. */
  command(process: string, role: Life["role"], settings: ProcessSettings): readonly string[];
  /** Sends a signal to a process; false if it is not there, or not there yet. */
  signal(process: string, signal: "SIGKILL" | "SIGTERM"): Promise<boolean>;
  /** When the last life of a process was over, in ms since 1970; null if the host cannot tell. */
  endedAt(process: string): Promise<number | null>;
  /** The base URL that a master advertises to others. */
  advertisedUrlOf(master: string): string;
}
