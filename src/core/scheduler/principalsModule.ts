/** Users and tokens are added, changed and removed; people sign in and out; what was refused is written down. */
import { defaults, limits } from "../../model/limits.ts";
import type { Actor, Role } from "../../model/principals/principal.ts";
import type { SessionRecord } from "../../model/principals/records.ts";
import { writeAudit } from "./audit.ts";
import type { Batch, Reply } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { SchedulerModule } from "./module.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { wallNow } from "./ticks.ts";

type Input<Kind extends SchedulerInput["kind"]> = Extract<SchedulerInput, { kind: Kind }>;

export const principalsModule = {
  inputs: {
    "add-user": (state, batch, input) => reply(batch, input.request, addUser(state, batch, input)),
    "change-user": (state, batch, input) => reply(batch, input.request, changeUser(state, batch, input)),
    "remove-user": (state, batch, input) => reply(batch, input.request, removeUser(state, batch, input)),
    "add-token": (state, batch, input) => reply(batch, input.request, addToken(state, batch, input)),
    "remove-token": (state, batch, input) => reply(batch, input.request, removeToken(state, batch, input)),
    "open-session": (state, batch, input) => reply(batch, input.request, openSession(state, batch, input)),
    "close-session": (state, batch, { request, id }) => {
      if (state.principals.sessions.has(id)) state.principals.writeSession(batch, id, null);
      reply(batch, request, { kind: "done" });
    },
    "note-use": (state, batch, { credential, id }) => noteUse(state, batch, credential, id),
    "note-refusals": (state, batch, { refusals }) => {
      for (const refusal of refusals) writeAudit(state, batch, refusal);
    },
    "forget-audit": (_state, batch, { ids }) => {
      for (const id of ids) batch.out.writes.push({ kind: "record", collection: "audit", id, value: null });
    },
  },
  step: ({ principals }, batch) => principals.endExpired(batch),
  nextWakeAt: ({ principals }) => principals.nextWakeAt,
} satisfies SchedulerModule;

function addUser(state: SchedulerState, batch: Batch, { user, by }: Input<"add-user">): Reply {
  const { principals } = state;
  if (principals.users.has(user.name)) return refuse("conflict", `There is a user ${user.name} already.`);
  if (principals.users.size >= limits.usersMax)
    return refuse("too-many", `Too many users (${limits.usersMax}).`, "usersMax");
  const refusal = refuseFirst(state, by, user.role);
  if (refusal !== null) return refusal;
  const times = { createdAt: batch.now, createdBy: by?.name ?? "", changedAt: batch.now };
  principals.writeUser(batch, user.name, { ...user, ...times });
  return { kind: "done" };
}

function changeUser(state: SchedulerState, batch: Batch, { name, change, by }: Input<"change-user">): Reply {
  const { principals } = state;
  const before = principals.users.get(name);
  if (before === undefined) return noSuchUser(name);
  const { queues, role = before.role, password = before.password } = change;
  if (role !== "admin" && before.role === "admin") {
    const refusal = refuseLockOut(state, batch, by, before.name, null);
    if (refusal !== null) return refusal;
  }
  const { queues: queuesBefore, ...rest } = before;
  const kept = queues === undefined ? queuesBefore : (queues ?? undefined);
  if (role === "admin" && kept !== undefined) return adminHasAll();
  const record = { ...rest, role, password, changedAt: batch.now, ...(kept !== undefined && { queues: kept }) };
  principals.writeUser(batch, name, record);
  // Whoever knew the old password is signed out.
  if (change.password !== undefined) principals.endSessionsOf(batch, { kind: "user", ...before });
  return { kind: "done" };
}

function removeUser(state: SchedulerState, batch: Batch, { name, by }: Input<"remove-user">): Reply {
  const { principals } = state;
  const user = principals.users.get(name);
  if (user === undefined) return noSuchUser(name);
  const refusal = user.role === "admin" ? refuseLockOut(state, batch, by, name, null) : null;
  if (refusal !== null) return refusal;
  principals.endSessionsOf(batch, { kind: "user", ...user });
  principals.writeUser(batch, name, null);
  return { kind: "done" };
}

function addToken(state: SchedulerState, batch: Batch, { token, by }: Input<"add-token">): Reply {
  const { principals } = state;
  if (principals.tokens.has(token.name)) return refuse("conflict", `There is a token ${token.name} already.`);
  if (principals.tokens.size >= limits.tokensMax)
    return refuse("too-many", `Too many tokens (${limits.tokensMax}).`, "tokensMax");
  const refusal = refuseFirst(state, by, token.role);
  if (refusal !== null) return refusal;
  principals.writeToken(batch, token.name, { ...token, createdAt: batch.now, createdBy: by?.name ?? "" });
  return { kind: "done" };
}

function removeToken(state: SchedulerState, batch: Batch, { name, by }: Input<"remove-token">): Reply {
  const { principals } = state;
  const token = principals.tokens.get(name);
  if (token === undefined) return refuse("not-found", `There is no token ${name}.`);
  const refusal = token.role === "admin" ? refuseLockOut(state, batch, by, null, name) : null;
  if (refusal !== null) return refusal;
  principals.endSessionsOf(batch, { kind: "token", ...token });
  principals.writeToken(batch, name, null);
  return { kind: "done" };
}

/** The password or the token was checked by the caller, against the record that there was then. */
function openSession(state: SchedulerState, batch: Batch, input: Input<"open-session">): Reply {
  const { principals } = state;
  const { id, owner, address, replaces } = input.session;
  if (owner.kind === "user" && principals.users.get(owner.name)?.changedAt !== owner.changedAt)
    return refuse("conflict", "The user was changed meanwhile; sign in again.");
  if (owner.kind === "token" && principals.tokenOfHash(owner.hash) === undefined)
    return refuse("conflict", "The token was removed meanwhile.");
  const before = principals.sessionsOf(owner).find((each) => each.id === replaces);
  if (before !== undefined) principals.writeSession(batch, before.id, null);
  const own = principals.sessionsOf(owner);
  const isFull = own.length >= limits.sessionsPerUserMax;
  if (isFull) principals.writeSession(batch, firstToExpire(own), null);
  else if (principals.sessions.size >= limits.sessionsMax)
    return refuse("too-many", `Too many sessions (${limits.sessionsMax}).`, "sessionsMax");
  const expiresAt = batch.now + defaults.sessionMs;
  const whose = {
    user: owner.kind === "user" ? owner.name : "",
    ...(owner.kind === "token" && { tokenHash: owner.hash }),
    ...(owner.kind === "root" && { isRoot: true as const }),
  };
  principals.writeSession(batch, id, { id, ...whose, createdAt: batch.now, expiresAt, address });
  return { kind: "session", expiresAt };
}

function firstToExpire(sessions: readonly SessionRecord[]): string {
  return sessions.reduce((first, each) => (each.expiresAt < first.expiresAt ? each : first)).id;
}

/** A session that is used stays; the use of a token is remembered. Both are written now and then only. */
function noteUse({ principals }: SchedulerState, batch: Batch, credential: "session" | "token", id: string): void {
  if (credential === "token") {
    const token = principals.tokens.get(id);
    if (token === undefined || batch.now - (token.lastUsedAt ?? 0) < defaults.useNoteMs) return;
    principals.writeToken(batch, id, { ...token, lastUsedAt: batch.now });
    return;
  }
  const session = principals.sessions.get(id);
  const expiresAt = batch.now + defaults.sessionMs;
  if (session === undefined || session.expiresAt <= batch.now) return;
  if (expiresAt - session.expiresAt >= defaults.useNoteMs)
    principals.writeSession(batch, id, { ...session, expiresAt });
}

/** Where nobody needs a credential yet, the first one must be an admin's: with any other, nobody could add a second. */
function refuseFirst({ principals }: SchedulerState, by: Actor | undefined, role: Role): Reply | null {
  if (by?.name !== "anybody" || !principals.isEmpty || role === "admin") return null;
  return refuse("conflict", "The first user or token must be an admin: from then on everybody needs a credential.");
}

/** Without a root token nobody could undo the removal of the last admin. */
function refuseLockOut(
  state: SchedulerState,
  batch: Batch,
  by: Actor | undefined,
  user: string | null,
  token: string | null,
): Reply | null {
  if (by === undefined || by.name === "root") return null;
  const { principals } = state;
  const now = wallNow(state, batch);
  const users = [...principals.users.values()].filter(({ name }) => name !== user);
  const tokens = [...principals.tokens.values()].filter(({ name }) => name !== token);
  const isLeft =
    users.some(({ role }) => role === "admin") ||
    tokens.some(({ role, expiresAt }) => role === "admin" && (expiresAt ?? now + 1) > now);
  return isLeft ? null : refuse("conflict", "This is the last admin. Add another one first.");
}

function noSuchUser(name: string): Reply {
  return refuse("not-found", `There is no user ${name}.`);
}

function adminHasAll(): Reply {
  return refuse("invalid", "An admin cannot be bound to queues.");
}
