/** Every route of the API, in the order of the documentation. */
import { artifactRoutes } from "./artifactRoutes.ts";
import { blobRoutes } from "./blobRoutes.ts";
import { bulkRoutes } from "./bulkRoutes.ts";
import { eventRoutes } from "./eventRoutes.ts";
import { graphRoutes } from "./graphRoutes.ts";
import { historyRoutes } from "./historyRoutes.ts";
import { logRoutes } from "./logRoutes.ts";
import { masterRoutes } from "./masterRoutes.ts";
import { openApiDocument } from "./openapi.ts";
import { peopleRoutes } from "./peopleRoutes.ts";
import { protocolRoutes } from "./protocolRoutes.ts";
import type { Route } from "./route.ts";
import { scheduleRoutes } from "./scheduleRoutes.ts";
import { sessionRoutes } from "./sessionRoutes.ts";
import { taskRoutes } from "./taskRoutes.ts";
import { taskViewRoutes } from "./taskViewRoutes.ts";
import { templateRoutes } from "./templateRoutes.ts";
import { webhookRoutes } from "./webhookRoutes.ts";
import { queueRoutes, workerRoutes } from "./workerRoutes.ts";

const documentRoute: Route = {
  method: "GET",
  path: "/openapi.json",
  name: "getOpenApi",
  access: { needs: "signed-in", of: "none" },
  summary: "This OpenAPI document.",
  tag: "master",
  answers: { 200: { description: "An OpenAPI 3.1 document.", content: { "application/json": { type: "object" } } } },
  handle: () => documentOf(),
};

export const routes: readonly Route[] = [
  ...taskRoutes,
  ...graphRoutes,
  ...taskViewRoutes,
  ...bulkRoutes,
  ...logRoutes,
  ...templateRoutes,
  ...scheduleRoutes,
  ...webhookRoutes,
  ...blobRoutes,
  ...artifactRoutes,
  ...workerRoutes,
  ...queueRoutes,
  ...eventRoutes,
  ...sessionRoutes,
  ...peopleRoutes,
  ...masterRoutes,
  ...historyRoutes,
  documentRoute,
  ...protocolRoutes,
];

let document: object | null = null;

function documentOf(): object {
  document ??= openApiDocument(routes);
  return document;
}
