/** Bounds of tasks that call services. They are part of `limits`. */
import { kibibyte, second } from "./units.ts";

export const httpLimits = {
  urlLengthMax: 8 * kibibyte,
  httpHeadersMax: 100,
  /** Redirects that one call follows, all within one service. */
  httpRedirectsMax: 5,
  /** How long a connection may take. What follows has no bound but the task's own time-out. */
  httpConnectMsMax: 10 * second,
} as const;
