/** Templates: put, read, remove, run. */
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { id, whole } from "../../model/schema.ts";
import type { TemplateRun } from "../../model/templates/template.ts";
import { traceSubmission } from "../http/tracedSubmission.ts";
import { consistentQuery, pathName, type Route } from "./route.ts";
import { keyOf, submissionHeaders } from "./taskRoutes.ts";

const nameParameter = { name: { ...id, description: "The template's name." } };
const version = { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const pageLimit = whole(1, limits.pageMax, "pageMax", { default: limits.pageDefault });

export const templateRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/templates",
    name: "listTemplates",
    access: { needs: "read", of: "each" },
    summary: "List the templates by name, page by page.",
    tag: "templates",
    query: { cursor: id, limit: pageLimit, ...consistentQuery },
    answers: { 200: { description: "One page.", schema: "TemplatePage" } },
    handle: (request, _reply, { master }) => {
      const { cursor = null, limit = limits.pageDefault } = request.query as { cursor?: string; limit?: number };
      return master.templates.list(cursor, limit);
    },
  },
  {
    method: "GET",
    path: "/v1/templates/:name",
    name: "getTemplate",
    access: { needs: "read", of: "template" },
    summary: "Read the latest version of a template.",
    tag: "templates",
    parameters: nameParameter,
    query: consistentQuery,
    answers: { 200: { description: "The version.", schema: "TemplateVersion" } },
    handle: (request, _reply, { master }) => master.templates.read(pathName(request), null),
  },
  {
    method: "PUT",
    path: "/v1/templates/:name",
    name: "putTemplate",
    access: { needs: "operate", of: "template" },
    summary: "Make a new version of a template, or the first one. The same content makes no new version.",
    tag: "templates",
    parameters: nameParameter,
    body: { schema: "Template", limit: "templateBodyBytesMax" },
    needsLeader: true,
    answers: {
      200: { description: "The latest version says the same.", schema: "TemplatePut" },
      201: { description: "A new version.", schema: "TemplatePut" },
    },
    handle: async (request, reply, { master }) => {
      const put = await master.templates.put(pathName(request), request.body as Json);
      return reply.code(put.isNew ? 201 : 200).send(put);
    },
  },
  {
    method: "DELETE",
    path: "/v1/templates/:name",
    name: "removeTemplate",
    access: { needs: "operate", of: "template" },
    summary: "Remove a template. Its tasks stay, and its versions can still be read.",
    tag: "templates",
    parameters: nameParameter,
    needsLeader: true,
    answers: { 200: { description: "Removed.", schema: "TemplateRemoved" } },
    handle: async (request, _reply, { master }) => {
      const name = pathName(request);
      await master.templates.remove(name);
      return { name, isRemoved: true };
    },
  },
  {
    method: "GET",
    path: "/v1/templates/:name/versions",
    name: "listTemplateVersions",
    access: { needs: "read", of: "template" },
    summary: "List the versions of a template, the oldest first, page by page.",
    tag: "templates",
    parameters: nameParameter,
    query: { cursor: version, limit: pageLimit, ...consistentQuery },
    answers: { 200: { description: "One page.", schema: "TemplateVersionPage" } },
    handle: (request, _reply, { master }) => {
      const { cursor = null, limit = limits.pageDefault } = request.query as { cursor?: number; limit?: number };
      return master.templates.versions(pathName(request), cursor, limit);
    },
  },
  {
    method: "GET",
    path: "/v1/templates/:name/versions/:version",
    name: "getTemplateVersion",
    access: { needs: "read", of: "template" },
    summary: "Read one version of a template, also of a removed one.",
    tag: "templates",
    parameters: { ...nameParameter, version },
    query: consistentQuery,
    answers: { 200: { description: "The version.", schema: "TemplateVersion" } },
    handle: (request, _reply, { master }) => {
      const { version: wanted } = request.params as { readonly version: number };
      return master.templates.read(pathName(request), wanted);
    },
  },
  {
    method: "POST",
    path: "/v1/templates/:name/run",
    name: "runTemplate",
    access: { needs: "submit", of: "template" },
    summary: "Create a task from a template. Unknown, missing and wrong variables are listed in one error.",
    tag: "templates",
    parameters: nameParameter,
    headers: submissionHeaders,
    body: { schema: "TemplateRun", limit: "bodyBytesMax" },
    needsLeader: true,
    answers: {
      200: { description: "An earlier request has created it.", schema: "Submitted" },
      201: { description: "Created.", schema: "Submitted", headers: { location: { type: "string" } } },
    },
    handle: async (request, reply, { master, tracing }) => {
      const name = pathName(request);
      const wish = request.body as TemplateRun;
      const task = await traceSubmission(request, tracing, name, (traceparent) =>
        master.templates.run(name, wish, keyOf(request), undefined, traceparent),
      );
      return reply
        .code(task.isNew ? 201 : 200)
        .header("location", `/v1/tasks/${task.id}`)
        .send(task);
    },
  },
];
