/** The "sometimes" assertions: situations that must have come up over many seeds, or the seeds have proved little. */

/** Every situation by the words in which it is reported. A set of seeds in which one never happened is invalid. */
export const situations = [
  // The store.
  "append while the store is away",
  "append refused by a full store",
  "unknown outcome that had gone in",
  "unknown outcome that had not gone in",
  "an entry went in after its sender had died",
  "an append found its own entry in the slot",
  "an append found another master's entry in the slot",
  "the store was away for longer than a worker may be silent",
  "a stale leader's insert came after the marker",
  "an append was refused by an entry that was on no majority yet",
  "an append was refused by an entry that was rolled back later",
  "an append was carried out and timed out",
  "an entry was rolled back",
  "the disk failed a commit",
  "the power went",
  "a master was cut off from the store",
  "the leader was cut off from the store while others were not",
  "the store was away for longer than the lease",
  "entries were compacted away",
  "a reader of the journal found that it began too late",
  "a standby was overtaken by compaction and read its memory anew",
  "entries were compacted away by a master that no longer led",
  "finished tasks were forgotten",
  "a task was put into the store while nobody led",
  "a task was adopted from the store",
  "a leader died after an adoption that the store's documents did not show yet",
  // Masters.
  "a master died while it led",
  "a master died with an append under way",
  "a master was paused for longer than a worker may be silent, and went on",
  "a second master took over from one that was paused",
  "a master was cut off from another",
  "a leader resigned and another took over",
  "a leader with a slow store asked for a longer lease",
  "a standby took over within a second of the leader's death",
  "five masters were up at once",
  "a standby compared its memory with the leader's",
  "a standby relayed a client",
  "a standby relayed a worker",
  "a clock jumped on the leader",
  "the leader's clock was set back",
  "the leader's clock was far ahead for a moment",
  // Workers.
  "a worker died with attempts running",
  "a worker that had died with its leader was found dead by the next one",
  "a worker came back within its grace and its attempts went on",
  "a worker came back after its attempts had been killed",
  "a worker came back as a new boot before it was missed",
  "a worker lost its disk",
  "a result waited in the outbox over a restart of its worker",
  "a result waited in the outbox over a restart of the master",
  "a worker was drained",
  "workers died in quick turns",
  "many workers lost their connections at once",
  "a worker died and nothing else could hide that",
  "a worker's machine could not start a task, which ran elsewhere or later",
  // Messages.
  "an assignment reached a worker twice",
  "a report was delivered twice",
  "a message was delivered after its addressee had been restarted",
  "a completion came after the attempt had been killed",
  "a result was answered stale",
  "an item of a running attempt was acknowledged",
  "an item of a running attempt was answered stale",
  "an item of a running attempt was sent to more than one master",
  "a submit was repeated after an unknown outcome, and was one task",
  "one direction of a connection was cut",
  "the network was split in two",
  "a follower of events resumed at another master",
  "a follower of events was told to read anew",
  "a leader of the past was shown a later epoch",
  // Tasks.
  "a task was retried after a failure",
  "a task ran again after its worker was lost",
  "a task failed with its attempts used up",
  "a task timed out",
  "a running task was cancelled",
  "a waiting task was cancelled",
  "a task waited for its start time",
  "a key was used again with other content",
  "the id of a forgotten task was used again",
  "a task whose id had been used before was run",
  "a worker still had a result of a forgotten task whose id was used again",
  "a queue was paused with tasks in it",
] as const;
export type Situation = (typeof situations)[number];

export class Coverage {
  readonly counts = new Map<Situation, number>();

  saw(situation: Situation): void {
    this.counts.set(situation, (this.counts.get(situation) ?? 0) + 1);
  }
}
