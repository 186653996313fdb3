/** Says below the outcome of an attempt which other ones ran beside it. */
import type { Attempt } from "../../api/schema.ts";
import { besideTexts } from "./beside.ts";

interface BesideNoteProps {
  readonly attempt: Attempt;
  /** Of the same task. */
  readonly attempts: readonly Attempt[];
  /** True while its process may still be ending: then that is said instead. */
  readonly isDying: boolean;
}

export function BesideNote({ attempt, attempts, isDying }: BesideNoteProps) {
  const texts = isDying ? ["its process may still be ending"] : besideTexts(attempt, attempts, Date.now());
  return texts.map((text) => (
    <span key={text} className={`block max-w-72 text-xs ${isDying ? "text-killed" : "text-muted"}`}>
      <span aria-hidden="true">⧉ </span>
      {text}
    </span>
  ));
}
