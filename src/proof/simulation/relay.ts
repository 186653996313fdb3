/** What a standby does with requests that only the leader can answer: it passes them on, one hop and no further. */
import type { MasterStatus } from "../../master/service/masterApi.ts";
import { type ErrorCode, OutlastError } from "../../model/errors.ts";
import { LinkError } from "../../ports/transport.ts";
import { type Callee, type Caller, call, type RunningMaster, type Wire } from "./call.ts";

/** The leader that a master would pass a request on to; null if it must answer, or refuse, itself. */
export function leaderBehind(master: RunningMaster, resolve: (address: string) => Callee | null): Callee | null {
  const status = statusOrNull(master);
  if (status === null || status.role === "leader" || status.leader === null || status.leader === status.address)
    return null;
  return resolve(status.leader);
}

/** Null while the master is still opening its store. */
export function statusOrNull({ face }: RunningMaster): MasterStatus | null {
  try {
    return face.status();
  } catch (error) {
    if (error instanceof OutlastError && error.code === "unavailable") return null;
    throw error;
  }
}

/** What came of nothing on the way to the leader is told as trouble, for nobody knows what the leader has done. */
export async function relayCall<Answer>(
  wire: Wire,
  standby: Caller,
  leader: Callee,
  label: string,
  invoke: (master: RunningMaster) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await call(wire, standby, leader, `${label}, relayed`, invoke);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    const isLost = ["unreachable", "timeout", "protocol"].includes(error.code);
    const details = error.leader === null ? {} : { leader: error.leader };
    throw new OutlastError(isLost ? "unavailable" : (error.code as ErrorCode), error.message, details);
  }
}
