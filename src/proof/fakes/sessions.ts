/** A session for executors under test: it takes the end, and answers every item as if a leader had taken it. */
import type { AttemptContent, AttemptEnd } from "../../model/protocol.ts";
import type { AttemptSession } from "../../ports/work.ts";

export function sessionThatEnds(
  onEnd: (end: AttemptEnd) => void,
  onContent: (content: AttemptContent) => void = () => {},
): AttemptSession {
  return {
    end: onEnd,
    send: async (content) => {
      onContent(content);
      return { verdict: "committed" };
    },
    tell: onContent,
    readSteps: async () => ({ steps: [], next: null }),
    readChildren: async () => ({ children: [], next: null }),
    onMessage: () => {},
  };
}
