/** Largest values of what is kept of the attempts of tasks, of what people are shown at first, and of what they change at once. Part of `limits`. */

export const viewLimits = {
  /** Attempts of one task that are remembered beside the current one, the latest ones; and what is kept of their errors. */
  attemptRecordsMax: 1_000,
  attemptMessageLengthMax: 200,
  /** Steps, attempts and children that a command shows at first. */
  rowsShownMax: 20,
  /** Of one worker: attempts that are over while their processes may still be ending. */
  dyingShownMax: 100,
  /** Pages of children that one call looks through for those of one generation. */
  generationPagesMax: 20,
  /** Pages of tasks that one call looks through for those that wait for one reason. */
  waitingPagesMax: 10,
  /** Tasks that one call of a bulk operation looks at, and that one entry of it may change. */
  bulkPageMax: 500,
  bulkChunkMax: 100,
  /** Tasks below others that one call of a bulk delete takes away. */
  bulkFamilyTasksMax: 5_000,
  /** Families that a bulk retry works on at the same time. */
  bulkRetriesAtATime: 16,
  /** What one message to a person lists before it says "and more". */
  problemsShownMax: 20,
} as const;
