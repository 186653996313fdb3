/** Bugs planted where it is decided who may do what, and what is there for whom. */
import type { Mutant } from "./mutant.ts";

const guard = "src/api/auth/guard.ts";
const scoped = "src/master/service/scopedMaster.ts";
const rights = "src/core/scheduler/rights.ts";

export const accessMutants: readonly Mutant[] = [
  {
    name: "asks nobody for a credential",
    patches: [{ file: guard, search: "    if (this.isOpen) return", replace: "    if (address !== null) return" }],
  },
  {
    name: "has one route that does not ask what its caller may do",
    patches: [
      {
        file: "src/api/routes/serveRoutes.ts",
        search: "if (request.grant !== null) context.guard.check(",
        replace: 'if (request.grant !== null && route.name !== "pauseQueue") context.guard.check(',
      },
    ],
  },
  {
    name: "lets the token of a worker do everything",
    patches: [
      {
        file: guard,
        search: 'if (isForWorkers === true && may(principal, "work")) return;',
        replace: 'if (isForWorkers !== false && may(principal, "work")) return;',
      },
    ],
  },
  {
    name: "gives the role of workers the permission to submit",
    patches: [
      {
        file: "src/model/principals/principal.ts",
        search: '  worker: ["work"],',
        replace: '  worker: ["work", "submit"],',
      },
    ],
  },
  {
    name: "lets everybody who may read manage users and tokens",
    patches: [
      {
        file: "src/api/routes/peopleRoutes.ts",
        search: 'const access: Access = { needs: "administer", of: "all" };',
        replace: 'const access: Access = { needs: "read", of: "all" };',
      },
    ],
  },
  {
    name: "lets those who are bound to queues call what tells of all queues",
    patches: [
      {
        file: guard,
        search: 'if (!isMissing && (of !== "all" || principal.queues === null)) return;',
        replace: "if (!isMissing && of !== undefined) return;",
      },
    ],
  },
  {
    name: "shows the queues of others",
    patches: [{ file: scoped, search: ".filter(({ name }) => this.#sees(name))", replace: "" }],
  },
  {
    name: "counts the tasks of others",
    patches: [{ file: scoped, search: "this.#master.stats(this.#by)", replace: "this.#master.stats()" }],
  },
  {
    name: "reads the tasks of others",
    patches: [{ file: scoped, search: "task === null || !this.#sees(task.queue)", replace: "task === null" }],
  },
  {
    name: "lists the tasks of others",
    patches: [{ file: scoped, search: "queues === undefined ? query : { ...query, queues }", replace: "query" }],
  },
  {
    name: "lets a submitter cancel what somebody else has submitted",
    patches: [
      {
        file: rights,
        search: "  if (by.isOwnOnly !== true || task.rights?.owner === by.name) return null;",
        replace: "  if (by.isOwnOnly !== true || task.rights !== undefined) return null;",
      },
    ],
  },
  {
    name: "lets those who are bound to queues set other queues",
    patches: [
      {
        file: rights,
        search: "      return coversQueue(by.queues, input.name) ? null : noSuchQueue(input.name);",
        replace: "      return null;",
      },
    ],
  },
  {
    name: "lets the token of a worker attach for any queue",
    patches: [
      {
        file: rights,
        search: "  if (foreign !== undefined) return refuse(",
        replace: "  if (foreign === id) return refuse(",
      },
    ],
  },
  {
    name: "takes reports of a session from whoever has a worker's token",
    patches: [
      {
        file: "src/master/service/refusals.ts",
        search: "  if (streams.isOwner(worker, by?.name)) return;",
        replace: "  if (streams.isOwner(worker, by?.name) || by !== undefined) return;",
      },
    ],
  },
  {
    name: "takes a session of the root token that masters had before",
    patches: [
      {
        file: guard,
        search: "this.#rootToken?.verifies(sessionClaim(random), signature) === true ?",
        replace: 'random + signature !== "" ?',
      },
    ],
  },
  {
    name: "lets whoever guesses tokens go on",
    patches: [{ file: guard, search: "    this.#bearers.noteWrong(address);\n", replace: "" }],
  },
  {
    name: "shuts out right tokens at the address of whoever guesses",
    patches: [
      {
        file: guard,
        search: "    if (found !== null) return found;\n    this.#bearers.noteWrong(address);\n",
        replace: "    this.#bearers.noteWrong(address);\n    if (found !== null) return found;\n",
      },
    ],
  },
];
