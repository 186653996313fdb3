/** What masters and workers write into their own logs about who leads: a witness apart from the journal. */
import { parseObject } from "./attemptLines.ts";

/** One line of a process's own log, written at the moment it began to lead, or found a leader to work for. */
export interface LeaderFact {
  readonly kind: "leading" | "attached";
  readonly at: number;
  readonly epoch: number;
  /** Whose log it stood in, and which life of that process wrote it. */
  readonly process: string;
  readonly life: number;
}

const leadingMessage = "leading";
const attachedMessage = "attached to a master";

/** Reads the facts out of one life's log; lines that are not JSON say nothing. */
export function readLeaderFacts(text: string, process: string, life: number): LeaderFact[] {
  return text.split("\n").flatMap((line) => {
    if (!line.includes('"epoch"')) return [];
    const { msg, time, epoch } = parseObject(line) ?? {};
    if (msg !== leadingMessage && msg !== attachedMessage) return [];
    if (typeof time !== "number" || typeof epoch !== "number") return [];
    return [{ kind: msg === leadingMessage ? "leading" : "attached", at: time, epoch, process, life }];
  });
}
