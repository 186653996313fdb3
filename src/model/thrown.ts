/** Texts of what the code of users has thrown, which may be anything. */

/** What `read` gives, as a text. Never throws: not for an object without a prototype, a message that is none, or a getter that fails. */
export function legible(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return "something that cannot be written as a text";
  }
}

/** The message of an error, or whatever was thrown instead of one. */
export function messageOf(thrown: unknown): string {
  return legible(() => (thrown instanceof Error ? thrown.message : thrown));
}

/** The same with all that helps to find the place. */
export function stackOf(thrown: unknown): string {
  return legible(() => (thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown));
}
