/** Bounds of handlers, of what they remember and of their families. */
import { kibibyte, mebibyte } from "./units.ts";

export const familyLimits = {
  stepKeyLengthMax: 200,
  /** The result of one step. */
  stepBytesMax: 256 * kibibyte,
  /** Steps that one task remembers, and what they come to together. */
  stepsMax: 10_000,
  stepsBytesMax: 16 * mebibyte,
  /** What a suspended task waits for at a time. */
  waitsMax: 1_000,
  /** Children of one task, over all its sets. */
  childrenMax: 1_000_000,
  childrenPerItemMax: 500,
  /** What the children of one item come to; less than `attemptItemBytesMax`, which bounds the item as a whole. */
  childrenItemBytesMax: 256 * kibibyte,
  /** Sets of children of one task that are not over. */
  childSetsMax: 1_000,
  /** Generations of one family: a root has depth 1. */
  familyDepthMax: 16,
  /** Workers that one broadcast reaches, and what its input comes to on all of them; all of its children are made in one entry. */
  broadcastWorkersMax: 1_000,
  broadcastBytesMax: 1 * mebibyte,
  /** How often it is looked whether the workers are there that broadcasts wait for. */
  broadcastCheckMs: 1_000,
  /** Descendants that one entry ends. */
  descendantsPerEntryMax: 1_000,
  signalNameLengthMax: 200,
  signalBodyBytesMax: 16 * kibibyte,
  /** Signals of one task that wait to be delivered, and ids of delivered ones that are remembered. */
  signalsMax: 100,
  /** Tasks of a family that one entry opens again; more are opened in entries of their own. */
  retriedPerEntryMax: 1_000,
} as const;
