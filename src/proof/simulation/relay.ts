/** What a standby does with requests that only the leader can answer: it passes them on, one hop and no further. */
import type { MasterStatus } from "../../master/service/masterApi.ts";
import { type ErrorCode, OutlastError } from "../../model/errors.ts";
import { LinkError } from "../../ports/transport.ts";
import { type Callee, call, type RunningMaster, type Wire } from "./call.ts";

/** How soon a standby notices that another master leads. */
const lookMs = 100;

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

/**
 * What came of nothing on the way to the leader is told as trouble, for nobody knows what the leader has done. A standby that sees another
 * master lead, or leads itself, waits for the answer of the old one no longer.
 */
export async function relayCall<Answer>(
  wire: Wire,
  machine: string,
  standby: RunningMaster,
  leader: Callee,
  label: string,
  invoke: (master: RunningMaster) => Promise<Answer>,
): Promise<Answer> {
  const caller = { machine, process: standby.process };
  const watch = watchLeader(standby);
  try {
    return await Promise.race([call(wire, caller, leader, `${label}, relayed`, invoke), watch.changed]);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    const isLost = ["unreachable", "timeout", "protocol"].includes(error.code);
    const details = error.leader === null ? {} : { leader: error.leader };
    throw new OutlastError(isLost ? "unavailable" : (error.code as ErrorCode), error.message, details);
  } finally {
    watch.stop();
  }
}

/** Rejects `changed` once another master leads than this one says now. */
function watchLeader(standby: RunningMaster): { readonly changed: Promise<never>; stop(): void } {
  const asked = statusOrNull(standby)?.leader ?? null;
  const { promise: changed, reject } = Promise.withResolvers<never>();
  const look = (): void => {
    const status = statusOrNull(standby);
    const isLeading = status?.role === "leader";
    if (isLeading || (status !== null && status.leader !== null && status.leader !== asked))
      reject(new OutlastError("unavailable", "Another master leads now."));
    else timer = standby.process.after(lookMs, look);
  };
  let timer = standby.process.after(lookMs, look);
  return { changed, stop: () => timer.cancel() };
}
