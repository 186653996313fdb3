/** What is done to the world of a run, and what becomes of its processes; a part of what the ledger takes down. */
import type { BootId } from "../../model/ids.ts";

/** By faults, and by operators. `node` is a master's name or a worker's. */
export type WorldEvent =
  | {
      readonly kind: "start";
      readonly node: string;
      readonly life: string;
      readonly boot?: BootId;
      readonly capacity?: number;
      /** A master that this boot has answered may take a refused connection for its death. */
      readonly isProbed?: boolean;
    }
  /** SIGTERM. */
  | { readonly kind: "stop"; readonly node: string; readonly life: string; readonly wasLeading: boolean }
  | { readonly kind: "crash"; readonly node: string; readonly life: string; readonly wasLeading?: boolean }
  | { readonly kind: "exit"; readonly node: string; readonly life: string; readonly error: string | null }
  | { readonly kind: "pause"; readonly node: string; readonly life: string }
  | { readonly kind: "resume"; readonly node: string; readonly life: string }
  /** The wall clock of a machine: by how much it is ahead of true time from here on, and how fast it drifts. */
  | { readonly kind: "clock-set"; readonly node: string; readonly offsetMs: number; readonly drift: number }
  | { readonly kind: "trouble"; readonly what: string; readonly nodes: readonly string[] }
  | { readonly kind: "trouble-over"; readonly what: string; readonly nodes: readonly string[] };
