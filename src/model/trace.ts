/** The trace that a task belongs to, as `traceparent` of https://www.w3.org/TR/trace-context/ names it. */

/** Of version 00, which is all that there is: the trace, what in it the bearer belongs to, and flags. */
export const traceparentPattern = "^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$";
const traceparent = new RegExp(traceparentPattern);

export function isTraceparent(text: unknown): text is string {
  return typeof text === "string" && traceparent.test(text);
}
