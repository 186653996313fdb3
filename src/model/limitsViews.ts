/** Largest values of what is kept of the attempts of tasks, and of what people are shown at first. Part of `limits`. */

export const viewLimits = {
  /** Attempts of one task that are remembered beside the current one, the latest ones; and what is kept of their errors. */
  attemptRecordsMax: 1_000,
  attemptMessageLengthMax: 200,
  /** Steps, attempts and children that a command shows at first. */
  rowsShownMax: 20,
  /** What one message to a person lists before it says "and more". */
  problemsShownMax: 20,
} as const;
