/** All named schemas: requests are checked against them, and the OpenAPI document shows them. */
import type { Schema } from "../../model/schema.ts";
import { answerSchemas } from "./answers.ts";
import { blobSchemas } from "./blobs.ts";
import { graphSchemas } from "./graphs.ts";
import { historySchemas } from "./history.ts";
import { peopleSchemas } from "./people.ts";
import { protocolSchemas } from "./protocol.ts";
import { scheduleSchemas } from "./schedules.ts";
import { documentedSubmissions, taskSchemas } from "./tasks.ts";
import { taskViewSchemas } from "./taskViews.ts";
import { templateSchemas } from "./templates.ts";
import { webhookSchemas } from "./webhooks.ts";
import { workerSchemas } from "./workers.ts";

export const components = {
  ...taskSchemas,
  ...graphSchemas,
  ...taskViewSchemas,
  ...templateSchemas,
  ...scheduleSchemas,
  ...webhookSchemas,
  ...blobSchemas,
  ...workerSchemas,
  ...protocolSchemas,
  ...peopleSchemas,
  ...answerSchemas,
  ...historySchemas,
};

/**
 * What the OpenAPI document shows. A submission is checked in two steps, first its own properties and then the input by its kind;
 * for readers and generated clients both are one union by kind.
 */
export const documentedComponents: { readonly [name: string]: Schema } = { ...components, ...documentedSubmissions };

export type SchemaName = keyof typeof components;
