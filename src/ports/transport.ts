/** The connection between workers and masters: HTTP, or the fake network of the simulator. */
import type { ChildrenPage, ChildrenRequest, StepsPage, StepsRequest } from "../model/family.ts";
import type { BootId, SessionId, WorkerId } from "../model/ids.ts";
import type {
  AttachAnswer,
  AttachRequest,
  LogChunk,
  ReportAnswer,
  ReportRequest,
  StreamMessage,
} from "../model/protocol.ts";

/** What a process shows to masters that ask for a certificate, in PEM; nothing where it has none. */
export interface ClientCertificate {
  readonly cert?: string;
  readonly key?: string;
}

/** Asked for each connection, since certificates are renewed. */
export type ShowCertificate = () => ClientCertificate;

export const noCertificate: ShowCertificate = () => ({});

/** Who must show a certificate where masters ask for one: workers only, or whoever connects, people and health checks too. */
export const certificateNeeds = ["workers", "all"] as const;
export type CertificateNeed = (typeof certificateNeeds)[number];

/** The worker's connection to one master. Every call may fail with `LinkError`; none of them retries. */
export interface MasterLink {
  attach(worker: WorkerId, request: AttachRequest): Promise<AttachAnswer>;
  /** Opens the stream. `onClose` is called exactly once, also after `close()`. */
  openStream(worker: WorkerId, session: SessionId, handlers: StreamHandlers): Stream;
  report(worker: WorkerId, request: ReportRequest): Promise<ReportAnswer>;
  /** Resolves once the pieces are stored. */
  sendLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[]): Promise<void>;
  /** Rejects with `conflict` if the attempt is over for the leader. */
  readSteps(worker: WorkerId, request: StepsRequest): Promise<StepsPage>;
  readChildren(worker: WorkerId, request: ChildrenRequest): Promise<ChildrenPage>;
}

export interface StreamHandlers {
  onMessage(message: StreamMessage): void;
  onClose(reason: string): void;
}

export interface Stream {
  close(): void;
}

/** Gives a link to the master at a base URL such as `http://127.0.0.1:7070`. */
export type Dial = (address: string) => MasterLink;

/** A call did not get a usable answer. */
export class LinkError extends Error {
  /** The master's own error code, or `unreachable`, `timeout`, `protocol`. */
  readonly code: string;
  /** The leader's address, if the master named it. */
  readonly leader: string | null;

  constructor(code: string, message: string, leader: string | null = null) {
    super(message);
    this.name = "LinkError";
    this.code = code;
    this.leader = leader;
  }
}

/** The master's end of one worker's stream. */
export interface StreamSink {
  /** Queues one message. The sink closes itself when its reader is too slow. */
  send(message: StreamMessage): void;
  /** Resolves when nothing of it waits for the reader any more, or it is closed; left out where nothing ever waits. */
  drained?(): Promise<void>;
  close(): void;
}

/** Probes whether a boot's process is alive: `connected` if it answered with its boot, `refused` if no process listens. */
export type Probe = (host: string, port: number, boot: BootId) => Promise<"refused" | "connected" | "unknown">;
