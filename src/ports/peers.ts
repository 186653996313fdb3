/** How a master keeps an eye on another one: nothing but connections, so that a dead process is seen at once. */

export interface Peers {
  /** Holds a connection to the master at this base URL; `onClose` is called once when it is gone, or cannot be made. */
  watch(address: string, onClose: () => void): { close(): void };
  /** `refused` proves that no process listens there. */
  probe(address: string): Promise<"refused" | "connected" | "unknown">;
}
