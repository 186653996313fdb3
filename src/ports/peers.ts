/** How a master watches another one: by connections, so that a dead process is noticed at once. */

export interface Peers {
  /** Keeps a connection to the master at this base URL; `onClose` is called once when it is lost or cannot be made. */
  watch(address: string, onClose: () => void): { close(): void };
  /** `refused` proves that no process listens there. */
  probe(address: string): Promise<"refused" | "connected" | "unknown">;
}
