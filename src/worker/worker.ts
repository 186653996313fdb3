/**
 * The shell around the Agent: it does what the Agent decides (dial masters, run attempts, write the outbox) and reports the
 * outcome back. No decision is made here. It reads time from the Clock only, so that the simulator can run it as it is.
 */
import { Agent } from "../core/agent/agent.ts";
import type { AgentEffect } from "../core/agent/effects.ts";
import type { AgentInput, LinkFailure, LinkNumber } from "../core/agent/inputs.ts";
import { type AgentSettings, type AgentView, defaultAgentSettings } from "../core/agent/options.ts";
import type { BootId, SessionId, WorkerId } from "../model/ids.ts";
import { defaults } from "../model/limits.ts";
import { type AttachRequest, type Outcome, protocolVersions } from "../model/protocol.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { type Dial, LinkError, type MasterLink, type Stream } from "../ports/transport.ts";
import type { Executor, LogSpool, Outbox } from "../ports/work.ts";
import { LogSender } from "./logs/logSender.ts";
import { OutboxWriter } from "./outbox/outboxWriter.ts";
import { AttemptSessions } from "./session/attemptSessions.ts";
import { FamilyReader } from "./session/familyReader.ts";

export interface WorkerOptions {
  readonly id: WorkerId;
  /** Fresh for each process. */
  readonly boot: BootId;
  /** How many attempts may run at a time. */
  readonly capacity: number;
  readonly queues: readonly string[];
  /** What it carries of what tasks may require. */
  readonly labels?: readonly string[];
  /** Base URLs; at least one. */
  readonly masters: readonly string[];
  readonly dial: Dial;
  readonly clock: Clock;
  readonly log: Log;
  /** Not yet open. */
  readonly outbox: Outbox;
  readonly spool: LogSpool;
  readonly executor: Executor;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
  /** Where a refused connection proves that this process is dead; null where it proves nothing. */
  readonly probePort: number | null;
  readonly settings?: Partial<AgentSettings>;
  /** Called when a master was found or lost, when a drain begins, and at the end. */
  readonly observer?: WorkerObserver;
  readonly onStatus?: (status: AgentView) => void;
}

/** The present connection to a master. */
interface Connection {
  readonly number: LinkNumber;
  readonly link: MasterLink;
  readonly session: SessionId;
  readonly stream: Stream;
}

/** Is told of attempts, for metrics. */
export interface WorkerObserver {
  ended(kind: string, outcome: Outcome, tookMs: number): void;
}

export class Worker {
  /** Resolves when the worker has stopped: with null if it was drained or told to stop, else with the error that ended it. Never rejects. */
  readonly ended: Promise<Error | null>;
  readonly #options: WorkerOptions;
  readonly #settings: AgentSettings;
  readonly #inputs: AgentInput[] = [];
  readonly #writer: OutboxWriter;
  readonly #logs: LogSender;
  readonly #sessions: AttemptSessions;
  #agent: Agent | null = null;
  /** Masters that were asked to let this worker attach, until one of them has. */
  readonly #asked = new Map<LinkNumber, MasterLink>();
  #connection: Connection | null = null;
  #isStepping = false;
  #isStatusDue = false;
  #wake: { readonly at: number; readonly timer: Timer } | null = null;
  #stopListening: () => void = () => {};
  #stopping: Promise<void> | null = null;
  #resolveEnded: (error: Error | null) => void = () => {};

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#settings = { ...defaultAgentSettings, ...options.settings };
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const { clock, log, outbox, spool, id } = options;
    this.#writer = new OutboxWriter(outbox, clock, log, this.#settings, (input) => this.#feed(input));
    const reader = new FamilyReader({
      worker: id,
      clock,
      waits: this.#settings,
      session: () => this.#connection && { link: this.#connection.link, id: this.#connection.session },
    });
    this.#sessions = new AttemptSessions(reader, (input) => this.#feed(input));
    const waits = { ...this.#settings, logSendMs: defaults.logSendMs };
    this.#logs = new LogSender({
      worker: id,
      spool,
      clock,
      log,
      waits,
      onPending: (isPending) => this.#feed({ kind: "logs", isPending }),
    });
  }

  /** How it stands at the moment; null before the start. */
  view(): AgentView | null {
    return this.#agent?.view() ?? null;
  }

  /** Opens the outbox and begins to look for a master; what it then does, it does until `ended`. @throws if the outbox is damaged or in use */
  async start(): Promise<void> {
    const { outbox, boot, capacity, masters, clock } = this.#options;
    try {
      const { results, epochMax, incarnation } = await outbox.open();
      if (this.#stopping !== null) return;
      this.#agent = new Agent({
        boot,
        capacity,
        masters,
        outbox: results,
        epochMax,
        incarnation,
        settings: this.#settings,
      });
    } catch (error) {
      await this.#end(toError(error));
      throw error;
    }
    this.#stopListening = clock.onJump((byMs) => this.#feed({ kind: "jumped", byMs }));
    this.#feed({ kind: "wake" });
  }

  /**
   * Takes nothing new, finishes what runs, delivers every result, says goodbye and ends. What still runs after `timeoutMs` is
   * ended and will run again elsewhere. Resolves at the end; a second call can only make the time shorter.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#agent === null) return this.stop();
    this.#feed({ kind: "drain", timeoutMs });
    await this.ended;
  }

  /** Ends at once, and everything that runs with it. Results stay on disk. */
  async stop(): Promise<void> {
    await this.#end(null);
  }

  /** All inputs come through here. They are taken one by one, also those that arise while the effects of another are performed. */
  #feed(input: AgentInput): void {
    if (this.#agent === null || this.#stopping !== null) return;
    if (this.#isStepping) {
      this.#inputs.push(input);
      return;
    }
    // The time comes first: if this process stood still, the clock says so within this call, and the Agent must know that
    // before it judges anything by the new time.
    const now = this.#options.clock.now();
    this.#inputs.push(input);
    this.#isStepping = true;
    try {
      this.#drainInputs(this.#agent, now);
    } catch (error) {
      this.#options.log.error("the worker's state machine failed", { error });
      void this.#end(toError(error));
    } finally {
      this.#isStepping = false;
      this.#inputs.length = 0;
    }
    if (this.#stopping !== null) return;
    this.#arm(this.#agent);
    if (this.#isStatusDue) this.#tellStatus();
  }

  #drainInputs(agent: Agent, now: number): void {
    const effects: AgentEffect[] = [];
    for (let index = 0; index < this.#inputs.length; index += 1) {
      const input = this.#inputs[index];
      if (input === undefined) return;
      agent.step(now, input, { effects });
      for (const effect of effects) this.#perform(effect);
      effects.length = 0;
    }
  }

  /** A timer that fires too early costs one idle step; setting one anew for each input would cost more. */
  #arm(agent: Agent): void {
    const at = agent.nextWakeAt();
    if (at === null || (this.#wake !== null && this.#wake.at <= at)) return;
    this.#wake?.timer.cancel();
    const timer = this.#options.clock.at(at, () => {
      this.#wake = null;
      this.#feed({ kind: "wake" });
    });
    this.#wake = { at, timer };
  }

  #perform(effect: AgentEffect): void {
    switch (effect.kind) {
      case "attach":
        return this.#attach(effect);
      case "open-stream":
        return this.#openStream(effect.link, effect.session);
      case "close-stream":
        return this.#closeStream(effect.link, effect.reason);
      case "report":
        return this.#report(effect);
      case "beat":
        return this.#beat(effect);
      case "start":
        return this.#start(effect);
      case "abort":
        return this.#options.executor.abort(
          { task: effect.task, attempt: effect.attempt },
          effect.graceMs,
          effect.cause,
        );
      case "acknowledge":
        return this.#sessions.acknowledge(effect, effect.ticket, effect.answer);
      case "deliver":
        return this.#sessions.deliver(effect, { id: effect.id, body: effect.body });
      case "persist":
        return this.#writer.persist(effect.result);
      case "forget":
        return this.#writer.forget(effect.attempts);
      case "save-epoch":
        return this.#writer.saveEpoch(effect.incarnation, effect.epoch);
      case "notice":
        // Each notice is a change that the operator may want to see.
        this.#isStatusDue = true;
        return this.#options.log[effect.level](effect.message, { worker: this.#options.id, ...effect.fields });
      case "finish":
        void this.#end(null);
        return;
      default:
        effect satisfies never;
    }
  }

  #attach({ link: number, address, state }: Extract<AgentEffect, { kind: "attach" }>): void {
    const {
      id,
      boot,
      capacity,
      queues,
      labels = [],
      executor,
      probePort,
      hostname,
      pid,
      version,
      dial,
    } = this.#options;
    const link = dial(address);
    this.#asked.set(number, link);
    const { kinds } = executor;
    const { min: protocolMin, max: protocolMax } = protocolVersions;
    const self = {
      protocol: protocolMin,
      protocolMin,
      protocolMax,
      boot,
      capacity,
      queues,
      kinds,
      labels,
      probePort,
      hostname,
      pid,
      version,
    };
    const request: AttachRequest = { ...self, ...state };
    link.attach(id, request).then(
      (answer) => this.#feed({ kind: "attached", link: number, answer }),
      (error: unknown) => {
        this.#asked.delete(number);
        this.#feed({ kind: "attach-failed", link: number, failure: toFailure(error) });
      },
    );
  }

  #openStream(number: LinkNumber, session: SessionId): void {
    const link = this.#asked.get(number);
    if (link === undefined) return;
    this.#asked.clear();
    const stream = link.openStream(this.#options.id, session, {
      onMessage: (message) => this.#feed({ kind: "message", link: number, message }),
      onClose: (reason) => this.#feed({ kind: "stream-closed", link: number, reason }),
    });
    this.#connection = { number, link, session, stream };
    this.#logs.attach(link, session);
  }

  #closeStream(number: LinkNumber, reason: string): void {
    if (this.#connection?.number !== number) return;
    this.#options.log.debug("closing the stream", { worker: this.#options.id, reason });
    this.#disconnect();
  }

  #disconnect(): void {
    this.#logs.detach();
    this.#connection?.stream.close();
    this.#connection = null;
  }

  #report({ link: number, session, epoch, items }: Extract<AgentEffect, { kind: "report" }>): void {
    if (this.#connection?.number !== number) return;
    const { id, boot } = this.#options;
    this.#connection.link.report(id, { boot, session, epoch, items }).then(
      (answer) => this.#feed({ kind: "reported", link: number, answer }),
      (error: unknown) => this.#feed({ kind: "report-failed", link: number, failure: toFailure(error) }),
    );
  }

  #beat({ link: number, session, epoch }: Extract<AgentEffect, { kind: "beat" }>): void {
    if (this.#connection?.number !== number) return;
    const { id, boot } = this.#options;
    this.#connection.link.report(id, { boot, session, epoch, items: [] }).then(
      (answer) => this.#feed({ kind: "beat-answered", link: number, epoch: answer.epoch }),
      (error: unknown) => this.#feed({ kind: "beat-failed", link: number, failure: toFailure(error) }),
    );
  }

  #start({ assignment }: Extract<AgentEffect, { kind: "start" }>): void {
    const { id: worker, boot, executor, spool, log } = this.#options;
    const { task, attempt, assignedAt } = assignment;
    this.#logs.watch();
    // The worker's own record of what ran here: the demo and the fault tests compare the journal with these two lines.
    log.info("attempt started", { worker, boot, task, attempt });
    const { observer, clock } = this.#options;
    const startedAt = clock.now();
    const session = this.#sessions.open(assignment, (end) => {
      observer?.ended(assignment.kind, end.outcome, clock.now() - startedAt);
      if (this.#stopping !== null) return;
      log.info("attempt ended", { worker, boot, task, attempt, outcome: end.outcome });
      const logBytes = spool.end({ task, attempt, assignedAt });
      if (logBytes > 0) this.#logs.flush();
      this.#feed({ kind: "ended", task, attempt, end: { ...end, logBytes } });
      if ((this.#agent?.running ?? 0) === 0) this.#logs.unwatch();
    });
    executor.start(assignment, session);
  }

  #tellStatus(): void {
    this.#isStatusDue = false;
    if (this.#agent !== null) this.#options.onStatus?.(this.#agent.view());
  }

  #end(error: Error | null): Promise<void> {
    this.#stopping ??= this.#shutDown(error);
    return this.#stopping;
  }

  /** Runs once. Failures are logged, and the rest is closed all the same. */
  async #shutDown(error: Error | null): Promise<void> {
    const { executor, outbox, spool, log } = this.#options;
    // Whoever asked for this is still inside a step: let it finish first.
    await Promise.resolve();
    this.#wake?.timer.cancel();
    this.#stopListening();
    this.#disconnect();
    this.#logs.close();
    const closeSpool = async () => {
      if (!(await spool.close())) throw new Error("the disk does not answer; output that was not sent is lost");
    };
    const steps = [() => executor.stop(), () => this.#writer.close(), () => outbox.close(), closeSpool];
    for (const step of steps) {
      try {
        await step();
      } catch (failure) {
        log.warn("a part of the worker did not close", { worker: this.#options.id, error: failure });
      }
    }
    this.#tellStatus();
    this.#resolveEnded(error);
  }
}

function toFailure(error: unknown): LinkFailure {
  if (error instanceof LinkError) return { code: error.code, message: error.message, leader: error.leader };
  return { code: "protocol", message: toError(error).message, leader: null };
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
