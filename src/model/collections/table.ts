/** Every collection of records. To add one, write a file beside this one and add it to `collections`. */

import { artifacts } from "./artifacts.ts";
import { attempts } from "./attempts.ts";
import { audit } from "./audit.ts";
import { blobPins } from "./blobPins.ts";
import { blobs } from "./blobs.ts";
import { childSets } from "./childSets.ts";
import type { Collection } from "./collection.ts";
import { deliveries } from "./deliveries.ts";
import { dyingHolds } from "./dyingHolds.ts";
import { endedSets } from "./endedSets.ts";
import { failedDependencies } from "./failedDependencies.ts";
import { inputs } from "./inputs.ts";
import { queueStarts } from "./queueStarts.ts";
import { queues } from "./queues.ts";
import { schedules } from "./schedules.ts";
import { sessions } from "./sessions.ts";
import { signals } from "./signals.ts";
import { steps } from "./steps.ts";
import { templates } from "./templates.ts";
import { templateVersions } from "./templateVersions.ts";
import { tokens } from "./tokens.ts";
import { undelivered } from "./undelivered.ts";
import { users } from "./users.ts";
import { webhooks } from "./webhooks.ts";
import { workers } from "./workers.ts";

export const collections = {
  queues,
  workers,
  steps,
  attempts,
  childSets,
  endedSets,
  signals,
  templates,
  templateVersions,
  schedules,
  blobs,
  failedDependencies,
  inputs,
  users,
  tokens,
  sessions,
  audit,
  dyingHolds,
  queueStarts,
  blobPins,
  artifacts,
  webhooks,
  deliveries,
  undelivered,
} as const;

type Table = typeof collections;

export type CollectionName = keyof Table;
export type RecordValue<Name extends CollectionName> = Parameters<Table[Name]["digestOf"]>[0];
/** Collections that every master holds in memory. */
export type HotCollectionName = {
  [Name in CollectionName]: Table[Name]["keeping"] extends "hot" ? Name : never;
}[CollectionName];

/** One record: testing `collection` narrows `value`. */
export type StoredRecord<Name extends CollectionName = CollectionName> = {
  [Each in Name]: { readonly collection: Each; readonly id: string; readonly value: RecordValue<Each> };
}[Name];

/** The version of each collection that a master knows, or that a leader's marker lists. */
export type CollectionVersions = { readonly [collection: string]: number };

export const collectionNames = Object.keys(collections) as CollectionName[];

export const hotCollections = collectionNames.filter(isHot);

export const collectionVersions: CollectionVersions = Object.fromEntries(
  collectionNames.map((name) => [name, descriptorOf(name).version]),
);

export function isCollection(name: string): name is CollectionName {
  return Object.hasOwn(collections, name);
}

/** For values that are known to be of this collection: they were checked by `problemOfRecord` where they came in. */
export function descriptorOf(name: CollectionName): Collection<unknown> {
  return collections[name];
}

export function isHot(name: CollectionName): name is HotCollectionName {
  return descriptorOf(name).keeping === "hot";
}

/** What is wrong with a record, as a sentence; null if nothing is. A `value` of null stands for its removal. */
export function problemOfRecord(collection: CollectionName, id: string, value: unknown): string | null {
  const descriptor = descriptorOf(collection);
  if (descriptor.isOwnedByTask !== id.includes("/")) return `The id ${id} has the wrong form for ${collection}.`;
  const problem = value === null ? null : descriptor.problemOf(id, value);
  return problem === null ? null : `The record ${id} of ${collection} ${problem}.`;
}

/** The id of a record that belongs to a task and is removed with it. Task ids hold no slash. */
export function ownedRecordId(task: string, key: string): string {
  return `${task}/${key}`;
}

/** Splits the id of a record that belongs to a task; null for any other. */
export function ownerOf(id: string): { readonly task: string; readonly key: string } | null {
  const slash = id.indexOf("/");
  return slash === -1 ? null : { task: id.slice(0, slash), key: id.slice(slash + 1) };
}
