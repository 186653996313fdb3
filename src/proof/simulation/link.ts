/** A worker's links to masters over the simulated network, straight or through a standby, with the ledger's eyes on both ends. */
import { OutlastError } from "../../model/errors.ts";
import type { ChildrenPage, ChildrenRequest, StepsPage, StepsRequest } from "../../model/family.ts";
import type { BootId, SessionId, WorkerId } from "../../model/ids.ts";
import type {
  AttachRequest,
  AttemptRef,
  IssuedAttempt,
  LogChunk,
  ReportAnswer,
  ReportRequest,
  StreamMessage,
} from "../../model/protocol.ts";
import { type Dial, LinkError, type MasterLink, type StreamHandlers } from "../../ports/transport.ts";
import type { Ledger } from "../checkers/ledger.ts";
import { type Callee, type Caller, call, type RunningMaster, throughJson, type Wire } from "./call.ts";
import { leaderBehind, relayCall } from "./relay.ts";
import { SimulatedStream, type Sink, type Speaker } from "./stream.ts";

export interface DialParts {
  readonly wire: Wire;
  readonly ledger: Ledger;
  readonly caller: Caller;
  readonly boot: BootId;
  /** Who answers at a base URL; null for an address that nobody has. */
  readonly resolve: (address: string) => Callee | null;
  /** Told of every stream, so that faults can find it. */
  readonly onStream: (stream: SimulatedStream<StreamMessage>) => void;
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

  async attach(worker: WorkerId, request: AttachRequest) {
    const { ledger, caller, boot } = this.#parts;
    const sent = throughJson(request);
    const answer = await this.#ask(
      `attach of ${worker} ${describeAttach(sent)}`,
      sent.relay === true,
      async (master) => {
        const life = master.process.name;
        ledger.add({ kind: "heard", life, worker, boot: sent.boot });
        const attached = await master.face.attach(worker, throughJson(sent), caller.machine);
        for (const ref of attached.abort) {
          const attempt = issuedOf(ref, sent.running);
          ledger.add({ kind: "sent-abort", life, worker, boot: sent.boot, ...attempt, reason: "attach" });
        }
        for (const { verdict, ...ref } of attached.verdicts) {
          const attempt = issuedOf(ref, sent.outbox);
          ledger.add({ kind: "sent-verdict", life, worker, ...attempt, verdict, outcome: null });
        }
        return attached;
      },
    );
    ledger.add({ kind: "told-epoch", worker, boot, epoch: answer.epoch });
    return answer;
  }

  openStream(worker: WorkerId, session: SessionId, handlers: StreamHandlers): SimulatedStream<StreamMessage> {
    const { wire, caller } = this.#parts;
    const listener = {
      onMessage: (message: StreamMessage) => {
        this.#noteReceived(worker, message);
        handlers.onMessage(message);
      },
      onClose: (reason: string) => handlers.onClose(reason),
    };
    const speaker = this.#speaker(worker, session, false);
    let leader: Callee | null = null;
    const stream = new SimulatedStream(wire, caller, this.#callee, listener, {
      ...speaker,
      opened: (master) => {
        leader = this.#leaderBehind(master);
        // Behind a standby, only what the leader itself does counts.
        if (leader === null) speaker.opened(master);
      },
      open: (master, sink) =>
        leader === null
          ? speaker.open(master, sink)
          : this.#openBehind(master, leader, sink, this.#speaker(worker, session, true)),
      sent: (master, message) => leader === null && speaker.sent(master, message),
    });
    this.#parts.onStream(stream);
    stream.connect();
    return stream;
  }

  /** A standby opens a stream of its own to the leader and hands on what comes. */
  #openBehind(
    standby: RunningMaster,
    leader: Callee,
    sink: Sink<StreamMessage>,
    speaker: Speaker<StreamMessage>,
  ): () => void {
    const caller = { machine: this.#callee.machine, process: standby.process };
    const listener = { onMessage: (message: StreamMessage) => sink.send(message), onClose: () => sink.close() };
    const behind = new SimulatedStream(this.#parts.wire, caller, leader, listener, speaker);
    behind.connect();
    return () => behind.close();
  }

  #speaker(worker: WorkerId, session: SessionId, isRelayed: boolean): Speaker<StreamMessage> {
    const { ledger, boot } = this.#parts;
    const open = new Set<RunningMaster>();
    return {
      open: (master, sink) => {
        try {
          return master.face.openStream(worker, session, sink);
        } catch (error) {
          // A master that is still starting.
          if (!(error instanceof OutlastError)) throw error;
          sink.close();
          return () => {};
        }
      },
      opened: (master) => {
        open.add(master);
        ledger.add({ kind: "stream-opened", life: master.process.name, worker, boot, session, isRelayed });
      },
      closed: (master, isByMaster) => {
        if (!open.delete(master)) return;
        const life = master.process.name;
        ledger.add({ kind: "stream-closed", life, worker, boot, session, ...(isByMaster && { isByMaster }) });
      },
      sent: (master, message) => this.#noteSent(master, worker, message),
      describe: describeMessage,
      mayRepeat: true,
    };
  }

  #noteSent(master: RunningMaster, worker: WorkerId, message: StreamMessage): void {
    const { ledger, boot } = this.#parts;
    const life = master.process.name;
    if (message.kind === "assign") {
      for (const { task, attempt, assignedAt } of message.assignments) {
        ledger.add({ kind: "sent-assign", life, worker, boot, task, attempt, assignedAt });
      }
    } else if (message.kind === "abort") {
      const { reason } = message;
      for (const attempt of message.attempts)
        ledger.add({ kind: "sent-abort", life, worker, boot, ...attempt, reason });
    }
  }

  #noteReceived(worker: WorkerId, message: StreamMessage): void {
    if (message.kind !== "assign") return;
    const { ledger, boot } = this.#parts;
    const { epoch } = message;
    for (const { task, attempt, assignedAt } of message.assignments) {
      ledger.add({ kind: "received-assign", worker, boot, epoch, task, attempt, assignedAt });
    }
  }

  async report(worker: WorkerId, request: ReportRequest): Promise<ReportAnswer> {
    const { wire, ledger, boot } = this.#parts;
    const sent = throughJson(request);
    let deliveries = 0;
    const answer = await this.#ask(`report of ${worker} ${describeReport(sent)}`, true, async (master) => {
      const life = master.process.name;
      deliveries += 1;
      if (deliveries > 1 && sent.items.length > 0) wire.coverage.saw("a report was delivered twice");
      ledger.add({ kind: "heard", life, worker, boot: sent.boot });
      const reported = await master.face.report(worker, throughJson(sent));
      for (const item of sent.items) {
        if (!("id" in item) || item.id === undefined) continue;
        const answer = reported.acks?.find(({ id }) => id === item.id)?.verdict;
        if (answer === undefined) continue;
        const verdict = answer === "refused" ? "stale" : answer;
        const { task, attempt, assignedAt } = item;
        if (item.kind === "result") {
          if (verdict === "stale") wire.coverage.saw("a result was answered stale");
          const issued = { task, attempt, assignedAt };
          ledger.add({ kind: "sent-verdict", life, worker, ...issued, verdict, outcome: item.outcome });
        } else if (item.kind === "progress") {
          const text = item.text ?? "";
          ledger.add({ kind: "item-acked", life, token: text, number: item.done, verdict });
        }
      }
      return reported;
    });
    ledger.add({ kind: "told-epoch", worker, boot, epoch: answer.epoch });
    return answer;
  }

  readSteps(worker: WorkerId, request: StepsRequest): Promise<StepsPage> {
    return this.#ask(`steps of ${request.task}/${request.attempt}`, true, async (master) =>
      throughJson(await master.face.readSteps(worker, throughJson(request))),
    );
  }

  readChildren(worker: WorkerId, request: ChildrenRequest): Promise<ChildrenPage> {
    return this.#ask(`children of ${request.task}/${request.attempt}`, true, async (master) =>
      throughJson(await master.face.readChildren(worker, throughJson(request))),
    );
  }

  sendLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[]): Promise<void> {
    const { ledger, boot } = this.#parts;
    const sent = chunks.map((chunk) => ({ ...chunk, bytes: chunk.bytes.slice() }));
    return this.#ask(`logs of ${worker}`, true, (master) => {
      ledger.add({ kind: "heard", life: master.process.name, worker, boot });
      return master.face.storeLogs(worker, session, sent);
    });
  }

  /** Asks the master of this link; a standby passes on what it is asked to. */
  #ask<Answer>(label: string, mayRelay: boolean, invoke: (master: RunningMaster) => Promise<Answer>): Promise<Answer> {
    const { wire, caller } = this.#parts;
    const answer = call(wire, caller, this.#callee, label, (master) => {
      const leader = mayRelay ? this.#leaderBehind(master) : null;
      if (leader === null) return invoke(master);
      wire.coverage.saw("a standby relayed a worker");
      return relayCall(wire, this.#callee.machine, master, leader, label, invoke);
    });
    answer.catch((error: unknown) => {
      if (error instanceof LinkError && error.code === "stale-epoch")
        wire.coverage.saw("a leader of the past was shown a later epoch");
    });
    return answer;
  }

  #leaderBehind(master: RunningMaster): Callee | null {
    return leaderBehind(master, this.#parts.resolve);
  }
}

/** The attempt as the worker named it when it asked, so that the ledger can tell it from one of an earlier task of the same id. */
function issuedOf(
  { task, attempt }: AttemptRef,
  asked: readonly IssuedAttempt[],
): AttemptRef & { assignedAt?: number } {
  const issued = asked.find((each) => each.task === task && each.attempt === attempt);
  return { task, attempt, ...(issued !== undefined && { assignedAt: issued.assignedAt }) };
}

function describeMessage(message: StreamMessage): string {
  switch (message.kind) {
    case "assign":
      return `assign ${message.assignments.map(({ task, attempt }) => `${task}/${attempt}`).join(" ")}`;
    case "abort":
      return `abort (${message.reason}) ${message.attempts.map(({ task, attempt }) => `${task}/${attempt}`).join(" ")}`;
    case "tell":
      return `tell ${message.messages.map(({ task, attempt, id }) => `${task}/${attempt} ${id}`).join(" ")}`;
    case "drain":
    case "beat":
      return message.kind;
    default:
      return message satisfies never;
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
    return "task" in item ? `${item.task}/${item.attempt} ${item.kind}` : item.kind;
  });
  return `[${items.join(", ")}]`;
}
