/** Bugs planted where records of collections come into a memory, and in the digest that should tell of them. */
import type { Mutant } from "./mutant.ts";

export const recordMutants: readonly Mutant[] = [
  {
    name: "a follower drops what becomes of queues",
    patches: [
      {
        file: "src/core/scheduler/records.ts",
        search: "this.#module(collection).put(id, value, now);",
        replace: 'if (collection !== "queues") this.#module(collection).put(id, value, now);',
      },
    ],
  },
  {
    name: "a follower drops what becomes of workers that it knows",
    patches: [
      {
        file: "src/core/scheduler/records.ts",
        search: "this.#module(collection).put(id, value, now);",
        replace:
          'if (collection !== "workers" || this.#module(collection).recordOf(id) === null)\n      this.#module(collection).put(id, value, now);',
      },
    ],
  },
  {
    name: "a follower drops what becomes of queues, and the digest skips them",
    patches: [
      {
        file: "src/core/scheduler/records.ts",
        search: "this.#module(collection).put(id, value, now);",
        replace: 'if (collection !== "queues") this.#module(collection).put(id, value, now);',
      },
      {
        file: "src/core/scheduler/records.ts",
        search: "    this.#digest.note(collection, id, this.#module(collection).recordOf(id));",
        replace:
          '    if (collection !== "queues") this.#digest.note(collection, id, this.#module(collection).recordOf(id));',
      },
    ],
  },
  {
    name: "a leader does not remember that it gave a worker up",
    patches: [
      {
        file: "src/core/scheduler/failureDetector.ts",
        search: "  worker.state = end;\n",
        replace: "",
      },
    ],
  },
  {
    name: "an entry that is full drops the inputs that found no room",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "      if (out.isFull()) {\n        inbox.giveBack(inputs.slice(index));",
        replace: "      if (out.writes.length > 0) {",
      },
    ],
  },
];
