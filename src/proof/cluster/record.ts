/** How exact the record of a real run is: what processes write into their logs, beside what the journal says. */

/** The clock of a master follows the wall clock that others write into their logs, but may run this far from it. */
export const clockSlackMs = 20;

/** A worker writes its lines a little after what it does: the last ones before a SIGKILL may be lost. */
export const lostRecordMs = 500;
