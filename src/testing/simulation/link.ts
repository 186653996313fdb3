/** A worker's links to masters over the simulated network, with the ledger's eyes on both ends. */
import type { BootId, SessionId, WorkerId } from "../../model/ids.ts";
import type { AttachRequest, LogChunk, ReportRequest, StreamMessage } from "../../model/protocol.ts";
import type { Dial, MasterLink, StreamHandlers } from "../../ports/transport.ts";
import type { Ledger } from "../ledger.ts";
import { type Callee, type Caller, call, type RunningMaster, throughJson, type Wire } from "./call.ts";
import { SimulatedStream, type StreamWitness } from "./stream.ts";

export interface DialParts {
  readonly wire: Wire;
  readonly ledger: Ledger;
  readonly caller: Caller;
  readonly boot: BootId;
  /** Who answers at a base URL; null for an address that nobody has. */
  readonly resolve: (address: string) => Callee | null;
  /** Told of every stream, so that faults can find it. */
  readonly onStream: (stream: SimulatedStream) => void;
}

const nobody: Callee = { machine: "nowhere", running: null };

export function simulatedDial(parts: DialParts): Dial {
  return (address) => new SimulatedLink(parts, parts.resolve(address) ?? nobody);
}

class SimulatedLink implements MasterLink {
  readonly #parts: DialParts;
  readonly #callee: Callee;

  constructor(parts: DialParts, callee: Callee) {
    this.#parts = parts;
    this.#callee = callee;
  }

  attach(worker: WorkerId, request: AttachRequest) {
    const { wire, caller, ledger } = this.#parts;
    const sent = throughJson(request);
    return call(wire, caller, this.#callee, `attach of ${worker} ${describeAttach(sent)}`, async (master) => {
      const life = master.process.name;
      ledger.add({ kind: "heard", life, worker, boot: sent.boot });
      const answer = await master.face.attach(worker, throughJson(sent), caller.machine);
      for (const { task, attempt } of answer.abort) {
        ledger.add({ kind: "sent-abort", life, worker, boot: sent.boot, task, attempt, reason: "attach" });
      }
      for (const { task, attempt, verdict } of answer.verdicts) {
        ledger.add({ kind: "sent-verdict", life, worker, task, attempt, verdict, outcome: null });
      }
      return answer;
    });
  }

  openStream(worker: WorkerId, session: SessionId, handlers: StreamHandlers): SimulatedStream {
    const { wire, caller } = this.#parts;
    const stream = new SimulatedStream(wire, caller, this.#callee, handlers, this.#witness(worker, session));
    this.#parts.onStream(stream);
    stream.connect(worker, session);
    return stream;
  }

  #witness(worker: WorkerId, session: SessionId): StreamWitness {
    const { ledger, boot } = this.#parts;
    return {
      opened: (master) => ledger.add({ kind: "stream-opened", life: master.process.name, worker, boot, session }),
      closed: (master) => ledger.add({ kind: "stream-closed", life: master.process.name, worker, boot, session }),
      sent: (master, message) => this.#noteSent(master, worker, message),
    };
  }

  #noteSent(master: RunningMaster, worker: WorkerId, message: StreamMessage): void {
    const { ledger, boot } = this.#parts;
    const life = master.process.name;
    if (message.kind === "assign") {
      for (const { task, attempt } of message.assignments) {
        ledger.add({ kind: "sent-assign", life, worker, boot, task, attempt });
      }
    } else if (message.kind === "abort") {
      for (const { task, attempt } of message.attempts) {
        ledger.add({ kind: "sent-abort", life, worker, boot, task, attempt, reason: message.reason });
      }
    }
  }

  report(worker: WorkerId, request: ReportRequest) {
    const { wire, caller, ledger } = this.#parts;
    const sent = throughJson(request);
    let deliveries = 0;
    return call(wire, caller, this.#callee, `report of ${worker} ${describeReport(sent)}`, async (master) => {
      const life = master.process.name;
      deliveries += 1;
      if (deliveries > 1 && sent.items.length > 0) wire.coverage.saw("a report was delivered twice");
      ledger.add({ kind: "heard", life, worker, boot: sent.boot });
      const answer = await master.face.report(worker, throughJson(sent));
      for (const { task, attempt, verdict } of answer.verdicts) {
        if (verdict === "stale") wire.coverage.saw("a result was answered stale");
        const item = sent.items.find(
          (each) => each.kind === "result" && each.task === task && each.attempt === attempt,
        );
        const outcome = item?.kind === "result" ? item.outcome : null;
        ledger.add({ kind: "sent-verdict", life, worker, task, attempt, verdict, outcome });
      }
      return answer;
    });
  }

  sendLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[]): Promise<void> {
    const { wire, caller, ledger, boot } = this.#parts;
    const sent = chunks.map((chunk) => ({ ...chunk, bytes: chunk.bytes.slice() }));
    return call(wire, caller, this.#callee, `logs of ${worker}`, (master) => {
      ledger.add({ kind: "heard", life: master.process.name, worker, boot });
      return master.face.storeLogs(worker, session, sent);
    });
  }
}

function describeAttach(request: AttachRequest): string {
  const list = (refs: readonly { task: string; attempt: number }[]): string =>
    refs.map(({ task, attempt }) => `${task}/${attempt}`).join(" ");
  return `boot ${request.boot} running [${list(request.running)}] outbox [${list(request.outbox)}]`;
}

function describeReport(request: ReportRequest): string {
  const items = request.items.map((item) => {
    if (item.kind === "result") return `${item.task}/${item.attempt} ${item.outcome}`;
    return item.kind === "started" ? `${item.task}/${item.attempt} started` : item.kind;
  });
  return `[${items.join(", ")}]`;
}
