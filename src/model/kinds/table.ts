/** Every built-in kind of task. Any other name is a handler: code that some workers have. */

import type { GraphInput } from "../graphs/graph.ts";
import type { Json } from "../json.ts";
import { type ContainerInput, containerKind } from "./container.ts";
import { type ExecInput, execKind } from "./exec.ts";
import { graphKind } from "./graph.ts";
import { type HttpInput, httpKind } from "./http.ts";
import { isObject, type KindDefinition } from "./kind.ts";
import { type MapReduceInput, mapKindName, mapReduceKind, reduceKindName } from "./mapReduce.ts";
import { type RemoteInput, remoteKind, remoteStopKindName } from "./remote.ts";
import { type SleepInput, sleepKind } from "./sleep.ts";

export const builtInKinds: readonly KindDefinition[] = [
  sleepKind,
  execKind,
  containerKind,
  httpKind,
  remoteKind,
  graphKind,
  mapReduceKind,
];

/** The inputs of the built-in kinds, for users of the client. */
export interface KindInputs {
  readonly sleep: SleepInput;
  readonly exec: ExecInput;
  readonly container: ContainerInput;
  readonly http: HttpInput;
  readonly remote: RemoteInput;
  readonly graph: GraphInput;
  readonly "map-reduce": MapReduceInput;
}

/** Kinds of tasks that built-in kinds bring about; no handler may take them, either. */
export const innerKinds: readonly string[] = [mapKindName, reduceKindName, remoteStopKindName];

/** What a worker can run that attached without telling its kinds: it is older than the field. */
export const kindsOfOldWorkers: readonly string[] = ["sleep", "exec"];

/** Kinds that masters decide: no worker is given a task of them. */
export const kindsWithoutWorker: ReadonlySet<string> = new Set(
  builtInKinds.filter(({ needsNoWorker }) => needsNoWorker === true).map(({ name }) => name),
);

/** True for a task that masters decide: it has children, and no attempts of its own. */
export function needsNoWorker({ kind, broadcast }: { readonly kind: string; readonly broadcast?: boolean }): boolean {
  return broadcast === true || kindsWithoutWorker.has(kind);
}

const kindsThatBeginAnew: ReadonlySet<string> = new Set(
  builtInKinds.filter((kind) => kind.beginsAnew === true).map(({ name }) => name),
);

/** See `KindDefinition.beginsAnew`. */
export function beginsAnew({ kind }: { readonly kind: string }): boolean {
  return kindsThatBeginAnew.has(kind);
}

/** True for a task whose tasks are retried with it, and never one by one. */
export function isRetriedWhole(head: { readonly kind: string; readonly broadcast?: boolean }): boolean {
  return needsNoWorker(head) || beginsAnew(head);
}

/** See `KindDefinition.secretMembers`. A member of this name is hidden wherever it stands. */
export const secretMembers: ReadonlySet<string> = new Set(builtInKinds.flatMap((kind) => kind.secretMembers ?? []));

const byName = new Map(builtInKinds.map((kind) => [kind.name, kind]));

/** The definition of a built-in kind; undefined for a handler. */
export function findKind(name: string): KindDefinition | undefined {
  return byName.get(name);
}

/** Labels that a worker must carry to run this, besides those that the task names. */
export function labelsFor({ kind, input }: { readonly kind: string; readonly input: Json }): readonly string[] {
  return (isObject(input) ? findKind(kind)?.labels?.(input) : undefined) ?? [];
}

/** The work in a few words, for people: `sleep 5s`, `make test`; the kind where its input says no more. */
export function describeWork({ kind, input }: { readonly kind: string; readonly input: Json }): string {
  return (isObject(input) ? findKind(kind)?.describe(input) : null) ?? kind;
}
