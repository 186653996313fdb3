/** Schemas of sessions, users, tokens and the audit record. */
import { limits } from "../../model/limits.ts";
import { queuePattern, roleSchema } from "../../model/principals/principal.ts";
import {
  closed,
  count,
  id,
  instant,
  limitKeyword,
  list,
  oneOf,
  open,
  orNull,
  ref,
  type Schema,
  text,
  truth,
} from "../../model/schema.ts";

/** Its least length is checked where it is set: a sign-in must not tell it. */
const password: Schema = {
  type: "string",
  minLength: 1,
  maxLength: limits.passwordLengthMax,
  [limitKeyword]: "passwordLengthMax",
};
const bearer: Schema = {
  type: "string",
  minLength: 1,
  maxLength: limits.passwordLengthMax,
  [limitKeyword]: "passwordLengthMax",
};
const queues = list(queuePattern, {
  minItems: 1,
  maxItems: limits.principalQueuesMax,
  [limitKeyword]: "principalQueuesMax",
  description: "Only these queues are there for it; left out for all.",
});
const someQueues = list(text, { description: "Patterns of the queues that are there for it; left out for all." });

export const peopleSchemas = {
  SignIn: closed(
    {},
    {
      name: id,
      password,
      token: { ...bearer, description: "Instead of a name and a password." },
      asBearer: {
        ...truth,
        default: false,
        description: "Answer with the session's secret, to be sent as `Authorization: Bearer`, instead of a cookie.",
      },
    },
    {
      oneOf: [
        { required: ["name", "password"], properties: { token: false } },
        { required: ["token"], properties: { name: false, password: false } },
      ],
    },
  ),
  PasswordChange: closed({ password, newPassword: password }),
  PasswordChanged: open({
    name: id,
    isSignedOut: { const: true, description: "All sessions of the user have ended." },
  }),
  Session: open(
    {
      principal: open({
        kind: oneOf(["root", "anybody", "user", "token"]),
        name: { ...text, description: "Empty for `root` and `anybody`." },
        role: roleSchema,
        queues: { type: ["array", "null"], items: text, description: "Patterns of its queues; null for all." },
      }),
      may: list(oneOf(["read", "submit", "control", "operate", "administer", "work"])),
      isOpen: { ...truth, description: "True where nobody needs a credential: whoever reaches the port is an admin." },
    },
    {
      csrf: { ...text, description: "To be sent as `x-outlast-csrf` with every change that the cookie pays for." },
      expiresAt: { ...instant, description: "Moves on while the session is used." },
      token: { ...text, description: "The session's secret, if it was asked for." },
    },
  ),
  SignedOut: open({ isSignedOut: { const: true } }),
  NewUser: closed({ name: id, password, role: roleSchema }, { queues }),
  UserChange: closed(
    {},
    { role: roleSchema, queues: { ...queues, ...orNull(queues), description: "Null for all queues." }, password },
    { minProperties: 1 },
  ),
  User: open(
    { name: id, role: roleSchema, createdAt: instant, createdBy: text, changedAt: instant },
    { queues: someQueues },
  ),
  UserList: open({ users: list(ref("User")) }),
  UserChanged: open({ name: id }),
  UserRemoved: open({ name: id, isRemoved: { const: true } }),
  NewToken: closed({ name: id, role: roleSchema }, { queues, expiresAt: instant }),
  Token: open(
    { name: id, role: roleSchema, createdAt: instant, createdBy: text },
    {
      queues: someQueues,
      expiresAt: instant,
      lastUsedAt: { ...instant, description: "To within some minutes; left out if it was never used." },
    },
  ),
  TokenMade: open(
    { name: id, role: roleSchema, token: { ...text, description: "Shown only now. Outlast keeps a hash of it." } },
    { queues: someQueues, expiresAt: instant },
  ),
  TokenList: open({ tokens: list(ref("Token")) }),
  TokenRemoved: open({ name: id, isRemoved: { const: true } }),
  AuditRecord: open(
    {
      at: instant,
      by: { ...text, description: "`root`, `anybody`, `user:NAME`, `token:NAME`; empty without valid credentials." },
      action: text,
      outcome: oneOf(["done", "refused"]),
    },
    { target: text, count, address: text, detail: text },
  ),
  AuditPage: open({
    records: list(ref("AuditRecord"), { description: "The newest first." }),
    cursor: {
      type: ["string", "null"],
      description: "Send it to get the next page; null at the end. A page may be short, even empty, before the end.",
    },
  }),
};
