/** What simulated clients ask for: tasks of all lengths, some that fail, time out, wait, or must go first. */
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import type { Submission } from "../../model/submission.ts";
import { programKind } from "../checkers/scripts.ts";
import { worldBeganAt } from "./clock.ts";
import { simulatedCommand } from "./executor.ts";
import type { Knobs } from "./knobs.ts";
import { drawProgram } from "./programs.ts";
import type { Random } from "./random.ts";

/** The ids that clients have made up, and which of them are free again because their tasks are forgotten. */
export class Names {
  readonly #given: string[] = [];
  readonly #isThere: (id: TaskId) => boolean;

  constructor(isThere: (id: TaskId) => boolean) {
    this.#isThere = isThere;
  }

  /** An id for a new task: of a forgotten one if there is one, now and then of one that is still there, else a fresh one. */
  draw(random: Random): string {
    const free = this.#given.filter((id) => !this.#isThere(id as TaskId));
    const share = random.next();
    if (free.length > 0 && share < 0.8) return random.pick(free);
    if (this.#given.length > 0 && share > 0.95) return random.pick(this.#given);
    const fresh = `own-${random.name(6)}`;
    this.#given.push(fresh);
    return fresh;
  }
}

export function drawSubmissions(random: Random, knobs: Knobs, count: number, names: Names): Submission[] {
  // Where finished tasks are forgotten, ids are used again as a matter of course.
  const areNamed = random.chance(knobs.isForgetful ? 0.6 : 0.3);
  const used = new Set<string>();
  return Array.from({ length: count }, () => {
    const submission = drawSubmission(random, knobs);
    if (!areNamed) return submission;
    const name = knobs.isForgetful ? names.draw(random) : null;
    const id = name === null || used.has(name) ? `own-${random.name(6)}` : name;
    used.add(id);
    return { ...submission, id };
  });
}

function drawSubmission(random: Random, knobs: Knobs): Submission {
  // Half of them short, half of them long enough to be running when something happens.
  const durationMs = random.chance(0.5) ? random.spread(5, knobs.taskMsMax) : random.integer(5, knobs.taskMsMax);
  const sometimes = <Value>(chance: number, name: string, value: () => Value): { [name: string]: Value } =>
    random.chance(chance) ? { [name]: value() } : {};
  // Drawn apart, so that what else a seed does stays what it was.
  const apart = random.fork(`apart ${durationMs}`);
  const work: Pick<Submission, "kind" | "input"> = random.chance(0.6)
    ? { kind: "sleep", input: { seconds: durationMs / 1000 } }
    : drawCommand(random, apart, knobs, simulatedCommand(durationMs, random.pick([0, 30, 60, 100])));
  return {
    ...work,
    queue: random.pick(knobs.queues),
    backoffBaseMs: random.spread(50, 3000),
    backoffMaxMs: 5000,
    ...sometimes(0.1, "requires", () =>
      random.pick(knobs.labels.length === 0 ? [[]] : [knobs.labels, [random.pick(knobs.labels)]]),
    ),
    ...sometimes(0.3, "priority", () => random.integer(-3, 3)),
    ...sometimes(0.5, "attemptsMax", () => random.integer(1, 5)),
    ...sometimes(0.05, "killsMax", () => random.integer(0, 3)),
    ...sometimes(0.2, "timeoutMs", () => random.spread(50, knobs.taskMsMax)),
    // By the world's own time; what a master's clock makes of it is part of the game.
    ...sometimes(0.1, "startAt", () => worldBeganAt + random.spread(1, knobs.unsafeMs)),
    ...(knobs.isLimited && drawBounds(apart, knobs)),
    ...(work.kind !== programKind && apart.fork("broadcast").chance(0.06) && { broadcast: true }),
  };
}

/**
 * A concurrency key, and instants by which the task must have started or ended. Tasks with a key often run out of time, so that
 * others wait for a key whose holder is dying.
 */
function drawBounds(random: Random, { unsafeMs, taskMsMax }: Knobs): Partial<Submission> {
  const isKeyed = random.chance(0.5);
  const concurrencyMax = random.pick([1, 1, 2, 3]);
  const deadlineMs = isKeyed ? random.spread(100, taskMsMax) : random.spread(100, unsafeMs);
  return {
    ...(isKeyed && { concurrencyKey: random.pick(["a", "b"]), concurrencyMax }),
    ...(random.chance(0.1) && { expiresAt: worldBeganAt + random.spread(1, unsafeMs) }),
    ...(random.chance(isKeyed ? 0.5 : 0.1) && { deadlineMs }),
  };
}

/** A command, or a handler that only some workers have. */
function drawCommand(
  random: Random,
  apart: Random,
  { kinds }: Knobs,
  command: string[],
): Pick<Submission, "kind" | "input"> {
  const kind = random.pick(kinds.filter((name) => name !== "sleep"));
  if (kind === programKind) return { kind, input: drawProgram(apart.fork("program")) as unknown as Json };
  return kind === "exec" ? { kind, input: { command } } : { kind, input: command };
}
