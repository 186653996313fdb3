/** All named schemas in one place: what requests are checked against, and what the OpenAPI document shows. */
import { answerSchemas } from "./answers.ts";
import { protocolSchemas } from "./protocol.ts";
import { taskSchemas } from "./tasks.ts";
import { workerSchemas } from "./workers.ts";

export const components = { ...taskSchemas, ...workerSchemas, ...protocolSchemas, ...answerSchemas };

export type SchemaName = keyof typeof components;
