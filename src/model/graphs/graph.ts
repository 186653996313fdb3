/** Graphs: named tasks that wait for each other. Their bounds are written once, in `graphInputSchema`. */
import { limits } from "../limits.ts";
import { closed, limitKeyword, list, oneOf, type Schema, wordsKeyword } from "../schema.ts";
import type { Submission } from "../submissionFields.ts";
import { nodeFailurePolicies, type OnNodeFailure, runConditions } from "./conditions.ts";

/** A task of a graph: a submission without an id. Queue and priority are those of the graph if left out. */
export interface GraphNode extends Omit<Submission, "id" | "after"> {
  /** Names of nodes of the same graph. */
  readonly after?: readonly string[];
}

/** The input of the kind `graph`. */
export interface GraphInput {
  readonly tasks: { readonly [name: string]: GraphNode };
  /** `stop` if left out. */
  readonly onFailure?: OnNodeFailure;
}

export const nodeName = new RegExp(`^[A-Za-z0-9_-]{1,${limits.nodeNameLengthMax}}$`);

/** What a node has beyond a submission, or instead of it. */
export const nodeLinks: { readonly [name: string]: Schema } = {
  after: list(
    {
      type: "string",
      pattern: nodeName.source,
      [wordsKeyword]: `1 to ${limits.nodeNameLengthMax} of the characters a-z, A-Z, 0-9 and _ -`,
      [limitKeyword]: "nodeNameLengthMax",
    },
    {
      maxItems: limits.graphTasksMax,
      [limitKeyword]: "graphTasksMax",
      description: "Names of nodes of this graph that must have ended before it starts.",
    },
  ),
  runIf: oneOf(runConditions, {
    default: "success",
    description:
      "`success`: they have all succeeded. `failure`: at least one has failed, or was cancelled or skipped. `always`: they have ended.",
  }),
};

export const graphInputSchema = closed(
  {
    tasks: {
      type: "object",
      maxProperties: limits.graphTasksMax,
      [limitKeyword]: "graphTasksMax",
      description:
        "The nodes by name. Each is a submission without an id; `after` holds names of other nodes. `${tasks.NAME.output.FIELD}` in an input takes the output of a node that it waits for, `${tasks.NAME.artifacts.PATH}` a reference to a file that it has left, for `files` of a command.",
      additionalProperties: { type: "object" },
    },
  },
  {
    onFailure: oneOf(nodeFailurePolicies, {
      default: "stop",
      description:
        "`stop`: after a failure nothing more starts, except by `runIf`. `continue`: all that can still run does.",
    }),
  },
);
