/** One request from a process to a master and its answer: refused, reset, timed out, late, or delivered twice. */

import type { MasterApi } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { LinkError } from "../../ports/transport.ts";
import type { Coverage } from "./coverage.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/** A place in the network that calls come from. */
export interface Caller {
  /** The machine's name, which cuts go by. */
  readonly machine: string;
  readonly process: Process;
}

/** Whoever answers at an address at this moment. */
export interface Callee {
  readonly machine: string;
  readonly running: RunningMaster | null;
}

export interface RunningMaster {
  readonly process: Process;
  readonly face: MasterApi;
}

export interface Wire {
  readonly network: Network;
  readonly timeline: Timeline;
  readonly coverage: Coverage;
  readonly callTimeoutMs: number;
}

/** JSON there and back, as every message travels. */
export function throughJson<Value>(value: Value): Value {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as Value);
}

/**
 * Asks `callee` and waits for the answer, at most `callTimeoutMs` by true time.
 * @param invoke runs inside the master's process, perhaps twice, perhaps after the caller has given up or died
 * @param answered runs at the instant at which a first answer leaves the master
 */
export function call<Answer>(
  wire: Wire,
  caller: Caller,
  callee: Callee,
  label: string,
  invoke: (master: RunningMaster) => Promise<Answer>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { network, timeline } = wire;
    let isOver = false;
    const end = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      caller.process.deliver(settle);
    };
    const fail = (code: string, message: string, leader: string | null = null): void =>
      end(() => {
        timeline.trace(`${caller.process.name} gets no answer to ${label}: ${code}`);
        reject(new LinkError(code, message, leader));
      });
    const sendBack = (arrive: () => void): void => network.carry(callee.machine, caller.machine, arrive);

    timeline.after(wire.callTimeoutMs, () => fail("timeout", "simulated: no answer in time"));
    const isReset = network.isReset();
    if (isReset) timeline.after(network.latency(), () => fail("unreachable", "simulated: connection reset"));
    // A reset connection may have carried the request already.
    if (isReset && network.flip()) return;
    const sentTo = callee.running;

    const deliver = (isFirst: boolean): void => {
      const master = callee.running;
      if (master === null) {
        if (isFirst) sendBack(() => fail("unreachable", "simulated: connection refused"));
        return;
      }
      if (sentTo !== null && master !== sentTo)
        wire.coverage.saw("a message was delivered after its addressee had been restarted");
      // The connection breaks with the process at its other end.
      const stopWatching = isFirst
        ? master.process.onDeath(() => sendBack(() => fail("unreachable", "simulated: connection reset")))
        : () => {};
      master.process.deliver(() => {
        timeline.trace(
          `${master.process.name} receives ${label} from ${caller.process.name}${isFirst ? "" : " again"}`,
        );
        const open = { label, since: timeline.now };
        const answer = attempt(() => invoke(master));
        master.process.openCalls.add(open);
        answer.then(
          (value) => {
            master.process.openCalls.delete(open);
            stopWatching();
            if (!isFirst) return;
            const text = throughJson(value);
            sendBack(() => end(() => resolve(text)));
          },
          (error: unknown) => {
            master.process.openCalls.delete(open);
            stopWatching();
            if (!isFirst) return;
            const { code, message, leader } = describeRefusal(error);
            sendBack(() => fail(code, message, leader));
          },
        );
      });
    };

    network.carry(caller.machine, callee.machine, () => deliver(true));
    if (!network.isDuplicated()) return;
    network.repeat(1, () => network.carry(caller.machine, callee.machine, () => deliver(false)));
  });
}

/** A throw of a method that should reject counts as a rejection. */
async function attempt<Answer>(invoke: () => Promise<Answer>): Promise<Answer> {
  return await invoke();
}

function describeRefusal(error: unknown): { code: string; message: string; leader: string | null } {
  if (!(error instanceof OutlastError)) {
    throw new Error("a master answered with an error that is not for callers", { cause: error });
  }
  const { leader } = error.details;
  return { code: error.code, message: error.message, leader: typeof leader === "string" ? leader : null };
}

/** The code by which a call was refused, or got no answer. @throws what is neither */
export function codeOf(error: unknown): string {
  if (error instanceof LinkError) return error.code;
  throw error;
}

/** True if the master said no, for good; false if nobody knows what became of the request, or it was not its to decide. */
export function isAnswer(code: string): boolean {
  return !["unreachable", "timeout", "protocol", "not-leader", "unavailable"].includes(code);
}
