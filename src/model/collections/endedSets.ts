/** The collection `endedSets`: sets of children that are over, for a retry that opens them again. The id is `<parent>/<prefix of the set>`. */
import type { ChildSetRecord } from "../family.ts";
import { childSets } from "./childSets.ts";
import type { Collection } from "./collection.ts";

export const endedSets = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: true,
  problemOf: (id, value) => childSets.problemOf(id, value),
  digestOf: (_set: ChildSetRecord) => null,
  toEvent: () => null,
} as const satisfies Collection<ChildSetRecord>;
