/**
 * Runs a scenario: a text of commands to the Scheduler, each followed by all that it decided. Style of
 * https://github.com/cockroachdb/datadriven, as etcd's raft uses it: the expected output stands in the file and is reviewed as a diff.
 *
 * A paragraph is one batch: commands, one a line, then `----`, then what came of them. `#` begins a remark.
 */
import type { SchedulerEffect } from "../../src/core/scheduler/effects.ts";
import type { SchedulerInput } from "../../src/core/scheduler/inputs.ts";
import { Scheduler } from "../../src/core/scheduler/scheduler.ts";
import type { Write } from "../../src/model/entry.ts";
import type { SessionId, WorkerId } from "../../src/model/ids.ts";
import type { AttemptRef, IssuedAttempt } from "../../src/model/protocol.ts";
import { toInput } from "./commands.ts";
import { describeEffect, describeWrite } from "./output.ts";

/** Every scenario begins at this instant, in ms since 1970. */
const beganAt = 1_000_000;

export class Scenario {
  now = beganAt;
  #scheduler = new Scheduler();
  #seq = 1;
  #epoch = 1;
  /** What stands in the journal, for a leader that is to be rebuilt from it. */
  readonly #journal: { readonly at: number; readonly write: Write }[] = [];
  readonly #sessions = new Map<WorkerId, SessionId>();

  constructor() {
    this.#scheduler.activate(this.now, this.#epoch, this.#seq);
  }

  sessionOf(worker: WorkerId): SessionId {
    return this.#sessions.get(worker) ?? ("no session" as SessionId);
  }

  /** An attempt as it was given out so long after the beginning, else last; as nobody gave it out, if it never was. */
  issued({ task, attempt }: AttemptRef, afterMs?: number): IssuedAttempt {
    if (afterMs !== undefined) return { task, attempt, assignedAt: beganAt + afterMs };
    const given = this.#journal.findLast(
      ({ write }) => write.kind === "status" && write.status.id === task && write.status.attempt === attempt,
    );
    const assignedAt = given?.write.kind === "status" ? given.write.status.assignedAt : undefined;
    return { task, attempt, assignedAt: assignedAt ?? 0 };
  }

  /** Runs one batch of commands. @returns one line for each thing that was decided */
  run(commands: readonly string[]): string[] {
    const [only = ""] = commands;
    const [verb, argument] = only.split(" ");
    if (verb === "advance") return this.#advance(Number(argument));
    if (verb === "new-leader") return this.#takeOver(argument?.split(",") ?? []);
    return this.#batch(commands.map((command) => toInput(command, this)));
  }

  #batch(inputs: readonly SchedulerInput[]): string[] {
    this.#seq += 1;
    const out = { seq: this.#seq, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    for (const input of [...inputs, { kind: "tick" } as const]) this.#scheduler.step(this.now, input, out);
    for (const write of out.writes) this.#journal.push({ at: this.now, write });
    const asked = inputs.filter((input) => "request" in input);
    const replies = out.effects.filter((effect) => effect.kind === "reply");
    for (const [index, reply] of replies.entries()) this.#noteSession(reply, asked[index]);
    return [...out.writes.map((write) => describeWrite(write, beganAt)), ...out.effects.map(describeEffect)];
  }

  /** Lets time pass: the Scheduler is woken whenever it wants to be. */
  #advance(ms: number): string[] {
    const until = this.now + ms;
    const lines: string[] = [];
    for (let at = this.#scheduler.nextWakeAt(); at !== null && at <= until; at = this.#scheduler.nextWakeAt()) {
      this.now = Math.max(this.now, at);
      const decided = this.#batch([]);
      if (decided.length > 0) lines.push(`after ${this.now - beganAt} ms:`, ...decided.map((line) => `  ${line}`));
    }
    this.now = until;
    return lines;
  }

  /**
   * Another master has followed the journal and takes over: what was only in the old leader's memory is gone.
   * @param found workers that it has found alive at their probe ports while it followed
   */
  #takeOver(found: readonly string[]): string[] {
    this.#scheduler = new Scheduler();
    for (const { at, write } of this.#journal) this.#scheduler.apply(write, at);
    this.#epoch += 1;
    this.#seq += 1;
    for (const { worker, boot, ...address } of this.#scheduler.unproven())
      if (found.includes(worker)) this.#scheduler.trustProbe(worker, boot, address);
    const effects = this.#scheduler.activate(this.now, this.#epoch, this.#seq);
    this.#sessions.clear();
    return [`epoch ${this.#epoch} begins`, ...effects.map(describeEffect)];
  }

  #noteSession(effect: SchedulerEffect, input: SchedulerInput | undefined): void {
    if (effect.kind !== "reply" || effect.reply.kind !== "attached" || input?.kind !== "attach") return;
    this.#sessions.set(input.worker, effect.reply.session);
  }
}

/** Runs a whole file. @returns it with the outputs as they really are */
export function runScenario(text: string): string {
  const scenario = new Scenario();
  const paragraphs = text.trimEnd().split(/\n{2,}/);
  return `${paragraphs.map((paragraph) => runParagraph(scenario, paragraph)).join("\n\n")}\n`;
}

function runParagraph(scenario: Scenario, paragraph: string): string {
  const lines = paragraph.split("\n");
  const end = lines.indexOf("----");
  const asked = end === -1 ? lines : lines.slice(0, end);
  const commands = asked.filter((line) => !line.startsWith("#") && line.trim() !== "");
  if (commands.length === 0) return paragraph;
  const decided = scenario.run(commands);
  return [...asked, "----", ...(decided.length === 0 ? ["nothing"] : decided)].join("\n");
}
