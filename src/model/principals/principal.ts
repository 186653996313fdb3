/** Who may do what: roles with their permissions, and principals, each bound to all queues or to some. */
import { limits } from "../limits.ts";
import { limitKeyword, oneOf, type Schema, wordsKeyword } from "../schema.ts";

/**
 * viewer     reads
 * submitter  also submits tasks, and cancels and signals its own
 * operator   also cancels, signals, pauses, drains and triggers, and edits templates and schedules
 * admin      also manages users and tokens, and reads the audit record
 * worker     speaks the worker protocol and nothing else
 */
export const roles = ["viewer", "submitter", "operator", "admin", "worker"] as const;
export type Role = (typeof roles)[number];

/** What a route asks for. `control` covers tasks of others; a `submitter` may do the same to its own tasks. */
export type Permission = "read" | "submit" | "control" | "operate" | "administer" | "work";

const permissionsOf: { readonly [Name in Role]: readonly Permission[] } = {
  viewer: ["read"],
  submitter: ["read", "submit"],
  operator: ["read", "submit", "control", "operate"],
  admin: ["read", "submit", "control", "operate", "administer"],
  worker: ["work"],
};

export function mayRole(role: Role, permission: Permission): boolean {
  return permissionsOf[role].includes(permission);
}

/**
 * root     has the token that a master was started with: admin and worker in one
 * anybody  where nobody needs a credential: no token was set, and there are no users
 */
export type PrincipalKind = "root" | "anybody" | "user" | "token";

export interface Principal {
  readonly kind: PrincipalKind;
  /** Of a user or a token; empty otherwise. */
  readonly name: string;
  readonly role: Role;
  /** Patterns of the queues that are there for it; null for all. */
  readonly queues: readonly string[] | null;
}

export const root: Principal = { kind: "root", name: "", role: "admin", queues: null };
export const anybody: Principal = { kind: "anybody", name: "", role: "admin", queues: null };
/** A worker with the token that whoever started the masters has given to both. */
export const ownWorker: Principal = { kind: "token", name: "up", role: "worker", queues: null };

/** `root` and `anybody` also speak the worker protocol. */
export function may(principal: Principal, permission: Permission): boolean {
  if (principal.kind === "root" || principal.kind === "anybody") return true;
  return mayRole(principal.role, permission);
}

/** The name of a principal in tasks and in the audit record: `root`, `user:ada`, `token:ci`. */
export function principalName({ kind, name }: Pick<Principal, "kind" | "name">): string {
  return name === "" ? kind : `${kind}:${name}`;
}

/** Who stands behind an input of the scheduler, and what is there for him. */
export interface Actor {
  readonly name: string;
  /** Patterns of queues; absent for all. What lies outside is unknown to the actor. */
  readonly queues?: readonly string[];
  /** True if only its own tasks may be cancelled and signalled. */
  readonly isOwnOnly?: true;
  /** Where the request came from. */
  readonly address?: string;
}

export function toActor(principal: Principal, address: string): Actor {
  return {
    name: principalName(principal),
    ...(principal.queues !== null && { queues: principal.queues }),
    ...(!may(principal, "control") && { isOwnOnly: true as const }),
    ...(address !== "" && { address }),
  };
}

/** What a task carries of the one who submitted it. Its children carry the same. */
export interface Rights {
  readonly owner: string;
  /** Patterns of the queues that it may reach; absent for all. */
  readonly queues?: readonly string[];
}

/** The rights of a new task; undefined where nobody needs a credential. */
export function rightsOf(actor: Actor | undefined): Rights | undefined {
  if (actor === undefined || actor.name === "anybody") return undefined;
  const { name, queues } = actor;
  return { owner: name, ...(queues !== undefined && { queues }) };
}

/** True if one of the patterns is the name, or ends in `*` and begins like it. Null and undefined stand for all queues. */
export function coversQueue(patterns: readonly string[] | null | undefined, queue: string): boolean {
  if (patterns === null || patterns === undefined) return true;
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? queue.startsWith(pattern.slice(0, -1)) : pattern === queue,
  );
}

export const queuePattern: Schema = {
  type: "string",
  pattern: `^(?=.)[A-Za-z0-9._:-]{0,${limits.idLengthMax}}[*]?$`,
  [wordsKeyword]: "the name of a queue, of the characters a-z, A-Z, 0-9 and . _ : -, which may end in *",
  [limitKeyword]: "idLengthMax",
  description: "The name of a queue; a `*` at its end stands for any rest.",
};
export const roleSchema = oneOf(roles);

const patternTest = new RegExp(String(queuePattern["pattern"]));

/** What is wrong with the queues of a principal's record, as the end of a sentence. */
export function problemOfQueues(queues: unknown): string | null {
  if (queues === undefined) return null;
  if (!Array.isArray(queues) || queues.length === 0) return "has queues that are no list of patterns";
  const areFine = queues.every((each) => typeof each === "string" && patternTest.test(each));
  return areFine ? null : "has queues that are no patterns";
}

export function isRole(value: unknown): value is Role {
  return roles.some((role) => role === value);
}
