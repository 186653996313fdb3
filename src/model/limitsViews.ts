/** Largest values of what is kept and shown of the attempts and children of tasks. Part of `limits`. */

export const viewLimits = {
  /** Attempts of one task that are remembered beside the current one, the latest ones; and what is kept of their errors. */
  attemptRecordsMax: 1_000,
  attemptMessageLengthMax: 200,
  /** Steps, attempts and children that a command shows at first. */
  rowsShownMax: 20,
} as const;
