/** Bounds of runs that somebody else carries out: containers, and jobs of services. They are part of `limits`. */
import { mebibyte, minute, second } from "./units.ts";

export const backendLimits = {
  imageLengthMax: 500,
  containerMountsMax: 20,
  /** Less, and no engine starts it. */
  containerMemoryBytesMin: 6 * mebibyte,
  containerCpusMax: 1024,
  /** How long an engine may take to start a container; it may have to fetch its image first. */
  containerStartMsMax: 15 * minute,
  /** How long an engine may take for anything else. */
  engineCallMsMax: 60 * second,
  engineAnswerBytesMax: 16 * mebibyte,
  /** Of the name of a service; a label holds it. */
  remoteNameLengthMax: 50,
  remotePollMsMin: 50,
  remoteAnswerBytesMax: 16 * mebibyte,
  /** What a service calls a run. */
  remoteHandleLengthMax: 2_000,
  /** How long a run may take to end, beyond its grace, once its backend was told to stop it. */
  runStopMsMax: 5 * minute,
  /** How long the last output of a run is waited for after its end. */
  runLogMsMax: 1 * minute,
} as const;
