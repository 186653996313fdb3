/** What a slot's process and its thread for user code say to each other. */
import type { MapWork } from "../coordinator/mapWork.ts";
import type { ReduceWork } from "../coordinator/reduceWork.ts";
import type { JobSettings, MapManifest, PlannedRange, ReduceResult } from "../coordinator/settings.ts";

export type ThreadTask =
  | ({ readonly kind: "map" } & MapWork)
  | ({ readonly kind: "reduce" } & ReduceWork)
  | { readonly kind: "sample"; readonly ranges: readonly PlannedRange[] }
  | { readonly kind: "check" };

export type ThreadResult = MapManifest | ReduceResult | { readonly keys: readonly string[] } | null;

export interface ToThread {
  readonly settings: JobSettings;
  readonly task: ThreadTask;
}

export type FromThread = { readonly result: ThreadResult } | { readonly failure: ThreadFailure };

export interface ThreadFailure {
  /** `record`: user code threw on a record. `final`: another attempt makes no sense. */
  readonly kind: "record" | "final" | "error";
  readonly message: string;
  /** With the user's stack. */
  readonly log: string;
}
