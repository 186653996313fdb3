/**
 * The worker's state machine. It decides which assignments to accept, what to tell the leader and when to repeat it, when a
 * master is gone and where to look for the next one. It awaits nothing, reads no clock, draws no random number and sets no
 * timer: `step` takes one input and answers with effects; `nextWakeAt` says when it wants to be called again.
 *
 * Two rules come first: the loss of a master, however long, never touches a running attempt; and a result is kept
 * (first on disk) until a leader has answered `committed` or `stale`.
 */
import type { AttachAnswer, ReportAnswer, StreamMessage } from "../../model/protocol.ts";
import { AgentAttempts } from "./attempts.ts";
import { Drain } from "./drain.ts";
import type { AgentOutput, NoticeFields } from "./effects.ts";
import { EpochGuard } from "./epoch.ts";
import { Exchange } from "./exchange.ts";
import { type AgentInput, isPassing, isSilence, type LinkFailure, type LinkNumber } from "./inputs.ts";
import { type AttachTry, MasterSearch } from "./masters.ts";
import type { AgentOptions, AgentSettings, AgentView } from "./options.ts";
import { AgentReports, readAnswer } from "./reports.ts";
import {
  beatAt,
  directAt,
  excuse,
  type Link,
  linkWakeAt,
  openSession,
  postpone,
  reportAt,
  type Session,
  silentAt,
} from "./session.ts";
import { Trouble } from "./trouble.ts";

export class Agent {
  readonly #settings: AgentSettings;
  readonly #reports: AgentReports;
  readonly #attempts: AgentAttempts;
  readonly #exchange: Exchange;
  readonly #search: MasterSearch;
  readonly #epoch: EpochGuard;
  readonly #drain: Drain;
  readonly #trouble: Trouble;
  #link: Link = { phase: "searching" };
  #linkNumber: LinkNumber = 0;
  #isFinished = false;
  /** What went wrong with masters since the last session, so that the same trouble is not told with every try. */
  readonly #complaints = new Set<string>();

  constructor(options: AgentOptions) {
    const { boot, capacity, settings } = options;
    this.#settings = settings;
    this.#trouble = new Trouble(settings);
    this.#reports = new AgentReports(settings, this.#trouble);
    this.#attempts = new AgentAttempts(boot, capacity, settings, this.#reports, this.#trouble);
    this.#attempts.restore(options.outbox);
    this.#exchange = new Exchange(this.#attempts, this.#reports);
    this.#search = new MasterSearch(boot, options.masters, settings);
    this.#epoch = new EpochGuard(options.epochMax, options.incarnation);
    this.#drain = new Drain(settings.byeWaitMs);
  }

  /** Takes in one input. `now` never goes back. After `finish` nothing has an effect any more. */
  step(now: number, input: AgentInput, out: AgentOutput): void {
    if (this.#isFinished) return;
    this.#take(now, input, out);
    if (this.#isFinished) return;
    const link = this.#link;
    if (link.phase === "saving" && (this.#epoch.isSaved || this.#trouble.isOfDisk))
      this.#obey(now, link.attach, link.answer, out);
    this.#attempts.passTime(now, out);
    this.#attempts.fill(now, out);
    this.#advanceDrain(now, out);
    this.#advanceLink(now, out);
  }

  /** When `step` wants to be called with `wake` at the latest, in ms since 1970; null for never. */
  nextWakeAt(): number | null {
    if (this.#isFinished) return null;
    const linkAt = linkWakeAt(this.#link, this.#search, this.#settings, this.#exchange.telling);
    const all = [this.#attempts.nextDeadlineAt, this.#drain.nextWakeAt, linkAt].filter((at) => at !== null);
    return all.length === 0 ? null : Math.min(...all);
  }

  /** Slots in use. */
  get running(): number {
    return this.#attempts.running;
  }

  view(): AgentView {
    const link = this.#link.phase === "attached" ? this.#link : null;
    return {
      phase: this.#isFinished ? "finished" : link === null ? "searching" : "attached",
      master: link?.address ?? null,
      session: link?.id ?? null,
      epoch: this.#epoch.max,
      isDraining: this.#drain.isOn,
      running: this.#attempts.running,
      waiting: this.#attempts.waiting,
      unsettled: this.#attempts.unsettled,
      trouble: this.#trouble.text,
    };
  }

  #take(now: number, input: AgentInput, out: AgentOutput): void {
    switch (input.kind) {
      case "wake":
        return;
      case "ended":
        return this.#attempts.end(now, input, input.end, out);
      case "send":
        return this.#exchange.send(input, input.ticket, input.content, out);
      case "tell":
        return this.#exchange.tell(input, input.content);
      case "disk":
        return this.#trouble.setDisk(input.trouble);
      case "persisted":
        return this.#attempts.persisted(now, input.attempts, out);
      case "epoch-saved":
        return this.#epoch.saved(input.incarnation, input.epoch);
      case "logs":
        this.#drain.isLogPending = input.isPending;
        return;
      case "drain":
        return this.#startDrain(now, input.timeoutMs, true, out);
      case "jumped":
        this.#attempts.shiftDeadlines(input.byMs);
        this.#drain.shift(input.byMs);
        if (this.#link.phase === "attached") excuse(now, this.#link, input.byMs);
        return;
      default:
        return this.#takeFromLink(now, input, out);
    }
  }

  /** What belongs to a connection that was given up says nothing about the present one. */
  #takeFromLink(now: number, input: Extract<AgentInput, { link: LinkNumber }>, out: AgentOutput): void {
    const attach = this.#search.find(input.link);
    if (attach !== undefined) {
      if (input.kind === "attached") this.#considerAnswer(now, attach, input.answer, out);
      if (input.kind === "attach-failed") this.#attachFailed(now, attach, input.failure, out);
    } else if (input.kind === "attached") this.#heedLateAnswer(now, input.answer, out);
    const link = this.#link;
    if (link.phase !== "attached" || link.link !== input.link) return;
    switch (input.kind) {
      case "message":
        return this.#takeMessage(now, link, input.message, out);
      case "stream-closed":
        // To a goodbye a master may simply hang up.
        if (link.underWay?.saysBye === true) return this.#finish(out);
        return this.#leave(now, link, `its stream was closed: ${input.reason}`, false, out);
      case "reported":
        return this.#takeAnswer(now, link, input.answer, out);
      case "report-failed":
        return this.#reportFailed(now, link, input.failure, out);
      case "beat-answered":
        if (this.#isOfSession(now, link, input.epoch, out)) link.answeredAt = now;
        return;
      case "beat-failed":
        return this.#beatFailed(now, link, input.failure, out);
      case "attached":
      case "attach-failed":
        return;
      default:
        input satisfies never;
    }
  }

  #considerAnswer(now: number, attach: AttachTry, answer: AttachAnswer, out: AgentOutput): void {
    switch (this.#epoch.check(answer.incarnation, answer.epoch, out)) {
      case "known":
        return this.#obey(now, attach, answer, out);
      case "raised":
        this.#search.found();
        this.#link = { phase: "saving", attach, answer };
        return;
      case "old": {
        const message = `It leads epoch ${answer.epoch}; epoch ${this.#epoch.max} has been seen.`;
        return this.#attachFailed(now, attach, { code: "stale-epoch", message, leader: null }, out);
      }
    }
  }

  /** It comes from a master that is no longer asked, and yet it may show that a later one leads than ours. */
  #heedLateAnswer(now: number, { incarnation, epoch }: AttachAnswer, out: AgentOutput): void {
    if (incarnation !== this.#epoch.incarnation || epoch <= this.#epoch.max) return;
    this.#epoch.raise(epoch, out);
    const link = this.#link;
    if (link.phase === "attached") return this.#leave(now, link, `epoch ${epoch} has begun elsewhere`, true, out);
    if (link.phase !== "saving") return;
    this.#link = { phase: "searching" };
    this.#search.lost(now, link.attach.address, { isSilent: true, wasShort: true });
  }

  /** The session stands, and its epoch is on disk, or the disk refuses it: what the answer says is done. */
  #obey(now: number, attach: AttachTry, answer: AttachAnswer, out: AgentOutput): void {
    const { session, epoch } = answer;
    this.#search.found();
    this.#link = openSession(now, attach, answer);
    this.#complaints.clear();
    const { address: master, isRelay } = attach;
    this.#notice(out, "info", "attached to a master", {
      master,
      session,
      epoch,
      protocol: this.#link.protocol,
      ...(isRelay ? { isRelayed: true } : {}),
    });
    out.effects.push({ kind: "open-stream", link: attach.link, session });
    this.#attempts.settle(now, this.#attempts.findAll(answer.verdicts), out);
    for (const { reason = "killed", ...ref } of answer.abort) this.#attempts.abort(now, ref, reason, out);
    this.#exchange.begin(this.#link.protocol, out);
    this.#reports.isDrainingUnreported = this.#drain.isOn && !attach.saidDraining;
  }

  #attachFailed(now: number, attach: AttachTry, failure: LinkFailure, out: AgentOutput): void {
    this.#search.failed(now, attach, failure);
    // A standby is no news, and neither is the same trouble again.
    if (failure.code === "not-leader" || this.#complaints.has(failure.code)) return;
    this.#complaints.add(failure.code);
    this.#notice(out, "warn", "cannot attach to a master; trying on", {
      master: attach.address,
      code: failure.code,
      reason: failure.message,
      running: this.#attempts.running,
    });
  }

  #takeMessage(now: number, link: Session, message: StreamMessage, out: AgentOutput): void {
    if (!this.#isOfSession(now, link, message.epoch, out)) return;
    link.heardAt = now;
    link.hasHeard = true;
    switch (message.kind) {
      case "beat":
        return;
      case "assign":
        return this.#attempts.assignAll(now, message.assignments, !this.#drain.isOn, out);
      case "tell":
        return this.#exchange.deliver(message.messages, out);
      case "abort":
        for (const ref of message.attempts) this.#attempts.abort(now, ref, message.reason, out);
        return;
      case "drain":
        return this.#startDrain(now, this.#settings.drainTimeoutMs, false, out);
      default:
        message satisfies never;
    }
  }

  /** A session belongs to one epoch. Anything else on it comes from a leader of the past, or proves that one has come after it. */
  #isOfSession(now: number, link: Session, epoch: number, out: AgentOutput): boolean {
    if (epoch === link.epoch && epoch >= this.#epoch.max) return true;
    if (epoch > link.epoch) this.#epoch.raise(epoch, out);
    this.#leave(now, link, `it spoke for epoch ${epoch} in a session of epoch ${link.epoch}`, true, out);
    return false;
  }

  #takeAnswer(now: number, link: Session, answer: ReportAnswer, out: AgentOutput): void {
    const batch = link.underWay;
    if (batch === null || !this.#isOfSession(now, link, answer.epoch, out)) return;
    link.underWay = null;
    link.failures = 0;
    link.answeredAt = now;
    const answered = readAnswer(batch, answer);
    if (answered === null) return this.#leave(now, link, "it did not acknowledge each item", false, out);
    this.#attempts.settle(now, answered.results, out);
    this.#exchange.answered(answered, out);
    if (batch.saysBye) this.#finish(out);
  }

  #reportFailed(now: number, link: Session, failure: LinkFailure, out: AgentOutput): void {
    const batch = link.underWay;
    if (batch === null) return;
    if (batch.saysBye) return this.#finish(out);
    if (this.#exchange.refused(now, batch, failure, out)) return void (link.underWay = null);
    if (!isPassing(failure)) {
      // Its stream may go on all the same: one direction of the way to it is cut, and another way has to be found.
      const isSilent = isSilence(failure);
      return this.#leave(now, link, `a report failed: ${failure.code}: ${failure.message}`, isSilent, out);
    }
    if (this.#leaveIdleRelay(now, link, out)) return;
    postpone(now, link, this.#settings);
    this.#reports.putBack(batch);
    if (link.failures === 1) {
      this.#notice(out, "warn", "a master cannot take reports at the moment", {
        master: link.address,
        code: failure.code,
      });
    }
  }

  #beatFailed(now: number, link: Session, failure: LinkFailure, out: AgentOutput): void {
    // Whether the way is broken is for the report to tell, which has waited for longer.
    if (isSilence(failure) || link.underWay?.saysBye === true || this.#leaveIdleRelay(now, link, out)) return;
    if (!isPassing(failure)) this.#leave(now, link, `a beat failed: ${failure.code}: ${failure.message}`, false, out);
  }

  /** A standby that does not get through to the leader is no way to it. @returns whether it was left */
  #leaveIdleRelay(now: number, link: Session, out: AgentOutput): boolean {
    const unansweredMs = now - link.answeredAt;
    if (!link.isRelay || unansweredMs < this.#settings.suspectMs) return false;
    this.#leave(now, link, `it has not got a report through for ${unansweredMs} ms`, true, out);
    return true;
  }

  /** Gives a session up. What runs goes on running; what was not answered will be told again. */
  #leave(now: number, link: Session, reason: string, isSilent: boolean, out: AgentOutput): void {
    const fields = { master: link.address, reason, running: this.#attempts.running };
    this.#notice(out, "warn", "lost the master; what runs goes on", fields);
    this.#part(now, link, reason, isSilent, out);
  }

  #part(now: number, link: Session, reason: string, isSilent: boolean, out: AgentOutput): void {
    out.effects.push({ kind: "close-stream", link: link.link, reason });
    // A session that brought nothing must not be tried again without a pause.
    const wasShort = !link.hasHeard || now - link.attachedAt < this.#settings.heartbeatMs;
    this.#link = { phase: "searching" };
    this.#search.lost(now, link.address, { isSilent, wasShort });
  }

  #startDrain(now: number, timeoutMs: number, isUnreported: boolean, out: AgentOutput): void {
    if (!this.#drain.isOn) {
      this.#notice(out, "info", "draining: takes nothing new", { running: this.#attempts.running, timeoutMs });
      this.#reports.isDrainingUnreported = isUnreported;
    }
    this.#drain.start(now, timeoutMs);
  }

  #advanceDrain(now: number, out: AgentOutput): void {
    if (!this.#drain.isOn) return;
    if (this.#drain.isTimeUp(now)) {
      this.#notice(out, "warn", "the time to drain is up: ending what still runs", { running: this.#attempts.running });
      this.#attempts.abortAll(now, out);
    }
    const isAttached = this.#link.phase === "attached";
    const step = this.#drain.advance(now, {
      isAttached,
      isIdle: this.#attempts.isIdle,
      unsettled: this.#attempts.unsettled,
    });
    if (step === "say-bye") this.#reports.isByeWanted = true;
    else if (step === "finish") this.#finish(out);
  }

  #finish(out: AgentOutput): void {
    if (this.#link.phase === "attached") {
      out.effects.push({ kind: "close-stream", link: this.#link.link, reason: "the worker has drained" });
    }
    this.#link = { phase: "searching" };
    this.#isFinished = true;
    this.#notice(out, "info", "drained", { unsettled: this.#attempts.unsettled });
    out.effects.push({ kind: "finish" });
  }

  #advanceLink(now: number, out: AgentOutput): void {
    if (this.#isFinished) return;
    const link = this.#link;
    if (link.phase === "attached" && now >= silentAt(link, this.#settings.suspectMs)) {
      this.#leave(now, link, `nothing was heard of it for ${now - link.heardAt} ms`, true, out);
    } else if (link.phase === "attached" && now >= directAt(link, this.#settings.directRetryMs)) {
      this.#notice(out, "info", "looking for a direct way to the leader", { master: link.address });
      this.#part(now, link, "a direct way is looked for", false, out);
    }
    if (this.#link.phase === "searching") this.#advanceSearch(now, out);
    if (this.#link.phase !== "attached") return;
    if (now >= reportAt(this.#link, this.#exchange.telling)) this.#report(now, this.#link, out);
    else if (now >= beatAt(this.#link)) this.#beat(now, this.#link, out);
  }

  #advanceSearch(now: number, out: AgentOutput): void {
    for (let late = this.#search.expired(now); late !== undefined; late = this.#search.expired(now)) {
      this.#attachFailed(now, late, { code: "timeout", message: "It did not answer in time.", leader: null }, out);
    }
    for (let target = this.#search.next(now); target !== null; target = this.#search.next(now)) {
      this.#linkNumber += 1;
      const isDraining = this.#drain.isOn;
      this.#search.begin(now, this.#linkNumber, target, isDraining);
      const { max: epochMax, incarnation } = this.#epoch;
      const relay = target.isRelay ? { relay: true } : {};
      const state = { ...this.#attempts.inventory(), isDraining, epochMax, incarnation, ...relay };
      this.#reports.forgetStarts();
      out.effects.push({ kind: "attach", link: this.#linkNumber, address: target.address, state });
    }
  }

  #report(now: number, link: Session, out: AgentOutput): void {
    const batch = this.#reports.take(now, link.protocol);
    link.underWay = batch;
    link.spokeAt = now;
    const { id: session, epoch } = link;
    out.effects.push({ kind: "report", link: link.link, session, epoch, items: batch.items });
  }

  #beat(now: number, link: Session, out: AgentOutput): void {
    link.spokeAt = now;
    out.effects.push({ kind: "beat", link: link.link, session: link.id, epoch: link.epoch });
  }

  #notice(out: AgentOutput, level: "info" | "warn", message: string, fields: NoticeFields): void {
    out.effects.push({ kind: "notice", level, message, fields });
  }
}
