/** A worker's first words to a master, as tests need them: everything usual but what they change. */
import type { BootId } from "../../model/ids.ts";
import { type AttachRequest, protocolVersions } from "../../model/protocol.ts";

export function attachRequest(change: Partial<AttachRequest> = {}): AttachRequest {
  return {
    protocol: protocolVersions.min,
    protocolMin: protocolVersions.min,
    protocolMax: protocolVersions.max,
    boot: "boot-1" as BootId,
    capacity: 2,
    queues: ["default"],
    running: [],
    outbox: [],
    isDraining: false,
    epochMax: 0,
    incarnation: null,
    probePort: null,
    hostname: "h",
    pid: 1,
    version: "0.1.0",
    ...change,
  };
}
