/** Bounds of tasks that call services. They are part of `limits`. */
import { kibibyte, minute, second } from "./units.ts";

export const httpLimits = {
  urlLengthMax: 8 * kibibyte,
  httpHeadersMax: 100,
  /** Redirects that one call follows, all within one service. */
  httpRedirectsMax: 5,
  httpConnectMsMax: 10 * second,
  /** How long a service may say nothing once it is connected, if the task has no time-out of its own. */
  httpSilenceMsMax: 10 * minute,
} as const;
