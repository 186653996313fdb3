/** Releases effects: replies, assignments, aborts. Must be called only after the commit of their batch, in order. */
import type { SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { Assignment } from "../../model/protocol.ts";
import type { TaskPayload } from "../../model/task.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Probe } from "../../ports/transport.ts";
import type { ProgressBoard } from "../streams/progressBoard.ts";
import type { Streams } from "../streams/streams.ts";
import { toChunks } from "./assignmentChunks.ts";
import type { AttemptReader } from "./attemptReader.ts";
import type { GraphReader } from "./graphReader.ts";
import type { Inbox } from "./inbox.ts";
import type { Payloads, Wanted } from "./payloads.ts";
import type { Requests } from "./requests.ts";

export interface OutboxParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly probe: Probe;
  readonly inbox: Inbox;
  readonly requests: Requests;
  readonly streams: Streams;
  readonly payloads: Payloads;
  readonly graphReader: GraphReader;
  readonly attemptReader: AttemptReader;
  readonly progress: ProgressBoard;
  readonly blobs: Blobs | null;
}

type AssignEffect = Extract<SchedulerEffect, { kind: "assign" }>;

export class Outbox {
  readonly #parts: OutboxParts;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  release(epoch: number, effects: readonly SchedulerEffect[]): void {
    for (const effect of effects) this.#release(epoch, effect);
  }

  #release(epoch: number, effect: SchedulerEffect): void {
    const { requests, streams, log } = this.#parts;
    switch (effect.kind) {
      case "reply":
        return requests.answer(effect.request, effect.reply);
      case "assign":
        return this.#assign(epoch, effect);
      case "abort":
        return streams.send(effect.worker, effect.session, {
          kind: "abort",
          epoch,
          reason: effect.reason,
          attempts: effect.attempts,
        });
      case "drain":
        return streams.send(effect.worker, effect.session, { kind: "drain", epoch });
      case "progress":
        return this.#parts.progress.note(effect.task, effect.attempt, effect.progress);
      case "close-session":
        log.info("closing the session of a worker", { worker: effect.worker, reason: effect.reason });
        return streams.close(effect.worker, effect.session);
      case "probe":
        void this.#probe(effect);
        return;
      case "load-graph":
      case "resolve-inputs":
      case "conclude-graph":
        return this.#parts.graphReader.read(effect);
      case "look-up-attempts":
        return this.#parts.attemptReader.read(effect);
      case "delete-object":
        this.#parts.blobs?.delete(effect.object).catch((error: unknown) => {
          log.warn("an object could not be deleted; it is looked for again later", { object: effect.object, error });
        });
        return;
      case "alarm":
        return log.warn(effect.message, effect.fields);
      default:
        effect satisfies never;
    }
  }

  #assign(epoch: number, effect: AssignEffect): void {
    const payloads = this.#parts.payloads.get(effect.attempts.map(toWanted));
    if (payloads instanceof Map) this.#send(epoch, effect, payloads);
    else void this.#sendWhenRead(epoch, effect, payloads);
  }

  /** An abort may overtake an assignment whose payload is being read; workers refuse attempts that were aborted before. */
  async #sendWhenRead(epoch: number, effect: AssignEffect, reading: Promise<Map<TaskId, TaskPayload>>): Promise<void> {
    const { payloads, clock, log, streams } = this.#parts;
    let pending = reading;
    for (;;) {
      try {
        return this.#send(epoch, effect, await pending);
      } catch (error) {
        log.warn("cannot read payloads from the store; the assignments wait", { worker: effect.worker, error });
      }
      await new Promise<void>((resolve) => clock.at(clock.now() + defaults.commitRetryMsMax, resolve));
      // If the session has closed, the assignment is sent again when the worker attaches.
      if (!streams.isOpen(effect.worker, effect.session)) return;
      pending = Promise.resolve(payloads.get(effect.attempts.map(toWanted)));
    }
  }

  #send(epoch: number, effect: AssignEffect, payloads: ReadonlyMap<TaskId, TaskPayload>): void {
    const assignments: Assignment[] = [];
    for (const { inputEpoch: _inputEpoch, payloadOf, ...attempt } of effect.attempts) {
      const task = payloadOf ?? attempt.task;
      const payload = payloads.get(task);
      if (payload === undefined) this.#parts.log.error("a task has no payload in the store", { task });
      else assignments.push({ ...attempt, ...payload });
    }
    const [first = [], ...rest] = toChunks(assignments);
    this.#parts.streams.send(effect.worker, effect.session, { kind: "assign", epoch, assignments: first });
    if (rest.length > 0) void this.#sendRest(epoch, effect, rest);
  }

  /** More than a reader of any speed may have waiting: each chunk leaves when the one before is taken, and beats come in between. */
  async #sendRest(
    epoch: number,
    { worker, session }: Pick<AssignEffect, "worker" | "session">,
    chunks: readonly (readonly Assignment[])[],
  ): Promise<void> {
    const { streams } = this.#parts;
    for (const assignments of chunks) {
      await streams.drained(worker, session);
      // What is left is sent again when the worker attaches.
      if (!streams.isOpen(worker, session)) return;
      streams.send(worker, session, { kind: "assign", epoch, assignments });
    }
  }

  async #probe({ worker, boot, host, port }: Extract<SchedulerEffect, { kind: "probe" }>): Promise<void> {
    const result = await this.#parts.probe(host, port, boot);
    this.#parts.inbox.push({ kind: "probed", worker, boot, host, port, result });
  }
}

function toWanted({ task, payloadOf, inputEpoch }: AssignEffect["attempts"][number]): Wanted {
  return { task: payloadOf ?? task, ...(inputEpoch !== undefined && { inputEpoch }) };
}
