/** Users, tokens and the audit record. */

import { limits } from "../../model/limits.ts";
import type { NewToken, NewUser, UserChange } from "../../model/principals/changes.ts";
import { id, instant, limitKeyword, oneOf } from "../../model/schema.ts";
import type { Access } from "../auth/routeAccess.ts";
import { pageQuery, pathName, type Route } from "./route.ts";

const access: Access = { needs: "administer", of: "all" };
const parameters = { name: id };

export const peopleRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/users",
    name: "listUsers",
    access,
    summary: "List the users.",
    tag: "people",
    answers: { 200: { description: "All of them, by name.", schema: "UserList" } },
    handle: (_request, _reply, { master }) => ({ users: master.principals.users() }),
  },
  {
    method: "POST",
    path: "/v1/users",
    name: "addUser",
    access,
    summary: "Add a user. Where nobody needed a credential before, everybody does from now on.",
    tag: "people",
    body: { schema: "NewUser", limit: "smallBodyBytesMax" },
    needsLeader: true,
    answers: { 201: { description: "Added.", schema: "User" } },
    handle: async (request, reply, { master, actor }) =>
      reply.code(201).send(await master.principals.addUser(request.body as NewUser, actor)),
  },
  {
    method: "PUT",
    path: "/v1/users/:name",
    name: "changeUser",
    access,
    summary: "Change a user's role, queues or password. His event streams end; with a new password his sessions, too.",
    tag: "people",
    parameters,
    body: { schema: "UserChange", limit: "smallBodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "Changed.", schema: "UserChanged" } },
    handle: async (request, _reply, { master, actor }) => {
      const name = pathName(request);
      await master.principals.changeUser(name, request.body as UserChange, actor);
      return { name };
    },
  },
  {
    method: "DELETE",
    path: "/v1/users/:name",
    name: "removeUser",
    access,
    summary: "Remove a user, with his sessions and event streams. His tasks stay.",
    tag: "people",
    parameters,
    needsLeader: true,
    answers: { 200: { description: "Removed.", schema: "UserRemoved" } },
    handle: async (request, _reply, { master, actor }) => {
      const name = pathName(request);
      await master.principals.removeUser(name, actor);
      return { name, isRemoved: true };
    },
  },
  {
    method: "GET",
    path: "/v1/tokens",
    name: "listTokens",
    access,
    summary: "List the tokens, without their secrets.",
    tag: "people",
    answers: { 200: { description: "All of them, by name.", schema: "TokenList" } },
    handle: (_request, _reply, { master }) => ({ tokens: master.principals.tokens() }),
  },
  {
    method: "POST",
    path: "/v1/tokens",
    name: "addToken",
    access,
    summary: "Make a token. Its secret is in this answer and never again.",
    tag: "people",
    body: { schema: "NewToken", limit: "smallBodyBytesMax" },
    needsLeader: true,
    answers: { 201: { description: "Made.", schema: "TokenMade" } },
    handle: async (request, reply, { master, actor }) =>
      reply.code(201).send(await master.principals.addToken(request.body as NewToken, actor)),
  },
  {
    method: "DELETE",
    path: "/v1/tokens/:name",
    name: "removeToken",
    access,
    summary: "Remove a token. It is refused from now on, and its streams end.",
    tag: "people",
    parameters,
    needsLeader: true,
    answers: { 200: { description: "Removed.", schema: "TokenRemoved" } },
    handle: async (request, _reply, { master, actor }) => {
      const name = pathName(request);
      await master.principals.removeToken(name, actor);
      return { name, isRemoved: true };
    },
  },
  {
    method: "GET",
    path: "/v1/audit",
    name: "listAudit",
    access,
    summary: "The audit record: who changed what, who signed in, who was refused. The newest first.",
    tag: "people",
    query: {
      by: name("A principal, such as `user:ada` or `root`."),
      action: name("Such as `cancel`, `sign-in` or `put-schedule`."),
      target: name("The id of a task, the name of a queue …"),
      outcome: oneOf(["done", "refused"]),
      after: { ...instant, description: "Records from this instant on." },
      before: { ...instant, description: "Records before this instant." },
      ...pageQuery,
    },
    answers: { 200: { description: "One page.", schema: "AuditPage" } },
    handle: (request, _reply, { master }) => {
      const query = request.query as { cursor?: string; limit?: number };
      return master.principals.audit({
        ...query,
        cursor: query.cursor ?? null,
        limit: query.limit ?? limits.pageDefault,
      });
    },
  },
];

function name(description: string): object & { readonly [keyword: string]: unknown } {
  return {
    type: "string",
    minLength: 1,
    maxLength: limits.nameLengthMax,
    [limitKeyword]: "nameLengthMax",
    description,
  };
}
