/** Signing in and out. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import { may, type Permission } from "../../model/principals/principal.ts";
import { csrfToken, emptyCookie, sessionCookie } from "../auth/cookies.ts";
import { type Grant, grantOf } from "../auth/grant.ts";
import type { Context, Route } from "./route.ts";

const permissions: readonly Permission[] = ["read", "submit", "control", "operate", "administer", "work"];

export const sessionRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/session",
    name: "signIn",
    access: { needs: "everybody", of: "none" },
    summary:
      "Sign in with a name and a password, or with a token. The answer sets a cookie, which every master accepts. A session of a token ends with the token at the latest.",
    tag: "people",
    body: { schema: "SignIn", limit: "smallBodyBytesMax" },
    needsLeader: true,
    answers: {
      200: { description: "Signed in.", schema: "Session", headers: { "set-cookie": { type: "string" } } },
    },
    handle: signIn,
  },
  {
    method: "GET",
    path: "/v1/session",
    name: "getSession",
    access: { needs: "signed-in", of: "none" },
    summary:
      "Who the caller is and what he may do. A page that stays open asks now and then, so that its session stays.",
    tag: "people",
    answers: { 200: { description: "The caller.", schema: "Session" } },
    handle: (request, reply, context) => {
      const grant = grantOf(request);
      const { credential, sessionSecret } = grant;
      const session = sessionSecret === null ? null : context.master.principals.findSession(sessionSecret);
      const isCookie = sessionSecret !== null && request.headers.authorization === undefined;
      if (session !== null && sessionSecret !== null && isCookie)
        setCookie(request, reply, context, sessionSecret, session.expiresAt);
      return {
        ...describe(context, grant),
        ...(isCookie && { csrf: csrfToken(sessionSecret) }),
        ...(credential?.kind === "session" && session !== null && { expiresAt: session.expiresAt }),
      };
    },
  },
  {
    method: "DELETE",
    path: "/v1/session",
    name: "signOut",
    access: { needs: "signed-in", of: "none" },
    summary: "Sign out: the session ends at every master, with its event streams.",
    tag: "people",
    needsLeader: true,
    answers: { 200: { description: "Signed out.", schema: "SignedOut" } },
    handle: async (request, reply, context) => {
      const { credential } = grantOf(request);
      if (credential?.kind !== "session") throw new OutlastError("bad-request", "This request has no session.");
      await context.master.principals.signOut(credential.id, context.actor);
      const settings = context.guard.cookieSettings(request);
      if (settings !== null) reply.header("set-cookie", emptyCookie(settings));
      return { isSignedOut: true };
    },
  },
  {
    method: "PUT",
    path: "/v1/session/password",
    name: "changePassword",
    access: { needs: "signed-in", of: "none" },
    summary: "Change the own password. All sessions of the user end.",
    tag: "people",
    body: { schema: "PasswordChange", limit: "smallBodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "Changed.", schema: "PasswordChanged" } },
    handle: changePassword,
  },
];

interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

type SignInBody = (NameAndPassword | { readonly token: string }) & { readonly asBearer?: boolean };

interface Opened extends Pick<Grant, "principal"> {
  readonly sessionSecret: string;
  readonly expiresAt: number;
}

async function signIn(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<unknown> {
  const { asBearer = false, ...wish } = request.body as SignInBody;
  const grant =
    "token" in wish ? await byToken(wish.token, request, context) : await byPassword(wish, request, context);
  const { sessionSecret: secret, expiresAt } = grant;
  const answer = { ...describe(context, grant), expiresAt };
  if (asBearer) return { ...answer, token: secret };
  setCookie(request, reply, context, secret, expiresAt);
  return { ...answer, csrf: csrfToken(secret) };
}

function byToken(token: string, request: FastifyRequest, { guard }: Context): Promise<Opened> {
  return guard.signInByToken(token, guard.addressOf(request), guard.cookieOf(request));
}

async function byPassword(
  { name, password }: NameAndPassword,
  request: FastifyRequest,
  context: Context,
): Promise<Opened> {
  const { guard, delays, master } = context;
  const address = guard.addressOf(request);
  const keys = [`address ${address}`, `name ${name}`];
  for (const key of keys) delays.check(key);
  // Counted before the password is looked at, so that many tries at once are as slow as one after the other.
  for (const key of keys) delays.noteFailure(key);
  const replaces = guard.cookieOf(request);
  const { secret, user, expiresAt } = await master.principals.signIn({ name, password, address, replaces });
  for (const key of keys) delays.noteSuccess(key);
  const { role, queues = null } = user;
  return { principal: { kind: "user", name, role, queues }, sessionSecret: secret, expiresAt };
}

async function changePassword(request: FastifyRequest, _reply: FastifyReply, context: Context): Promise<unknown> {
  const { principal, address } = grantOf(request);
  if (principal.kind !== "user") throw new OutlastError("bad-request", "Only a user has a password.");
  const { password, newPassword } = request.body as { password: string; newPassword: string };
  const { delays, master, actor } = context;
  const keys = [`address ${address}`, `name ${principal.name}`];
  for (const key of keys) delays.check(key);
  for (const key of keys) delays.noteFailure(key);
  await master.principals.checkPassword(principal.name, password);
  for (const key of keys) delays.noteSuccess(key);
  await master.principals.changeUser(principal.name, { password: newPassword }, actor);
  return { name: principal.name, isSignedOut: true };
}

function describe({ guard }: Context, { principal }: Pick<Grant, "principal">): object {
  return { principal, may: permissions.filter((each) => may(principal, each)), isOpen: guard.isOpen };
}

function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { guard }: Context,
  secret: string,
  expiresAt: number,
): void {
  const settings = guard.cookieSettings(request);
  if (settings !== null) reply.header("set-cookie", sessionCookie(settings, secret, expiresAt - Date.now()));
}
