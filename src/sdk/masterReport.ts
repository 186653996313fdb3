/** What a master tells of itself, as `GET /v1/status` answers it. */

export interface MasterReport {
  readonly name: string;
  /** Drawn anew by each process. */
  readonly nonce: string;
  /** Base URL others reach this master at. */
  readonly address: string;
  readonly role: "starting" | "standby" | "leader" | "stopping";
  readonly epoch: number;
  /** The last journal entry it knows to be committed. */
  readonly seq: number;
  /** Base URL of the leader as far as it knows. */
  readonly leader: string | null;
  readonly incarnation: string;
  readonly store: string;
  readonly durability: string;
  /** Why nothing can be committed at the moment; null if all is well. */
  readonly trouble: string | null;
  readonly startedAt: number;
  readonly roleSince: number;
  /** By its clock of passed time. Masters of 0.1.0 do not tell. */
  readonly now?: number;
  /** How far its clock of passed time is ahead of its machine's wall clock. Masters of 0.1.0 do not tell. */
  readonly clockOffsetMs?: number;
  /** True where nobody needs a credential. Masters of 0.1.0 do not tell. */
  readonly isOpen?: boolean;
  /** True where a proxy tells it where requests come from. Older masters do not tell. */
  readonly isBehindProxy?: boolean;
  readonly stats: {
    readonly commits: number;
    readonly inputs: number;
    readonly writes: number;
    readonly inboxLength: number;
    /** Tasks by state. */
    readonly tasks: { readonly [state: string]: number };
    readonly workersConnected: number;
    /** Changes of the leader that it has seen since its start. */
    readonly elections: number;
  };
}
