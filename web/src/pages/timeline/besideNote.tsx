/** Says below the outcome of an attempt which other ones ran beside it. */
import type { Attempt } from "../../api/schema.ts";
import { besideTexts } from "./beside.ts";

/** Two bars, the one beginning before the other has ended. */
export function BesideMark() {
  return (
    <svg aria-hidden="true" viewBox="0 0 14 10" className="mr-0.5 inline-block h-2.5 w-3.5 fill-current">
      <rect x="0" y="1" width="9" height="3" rx="1" />
      <rect x="5" y="6" width="9" height="3" rx="1" />
    </svg>
  );
}

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
      <BesideMark /> {text}
    </span>
  ));
}
