/** All named schemas: requests are checked against them, and the OpenAPI document shows them. */
import { answerSchemas } from "./answers.ts";
import { protocolSchemas } from "./protocol.ts";
import { taskSchemas } from "./tasks.ts";
import { workerSchemas } from "./workers.ts";

export const components = { ...taskSchemas, ...workerSchemas, ...protocolSchemas, ...answerSchemas };

export type SchemaName = keyof typeof components;
