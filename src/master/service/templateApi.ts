/** What a master offers for templates; a part of `MasterApi`. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { Json } from "../../model/json.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { TemplateRecord, TemplateRun, TemplateVersion } from "../../model/templates/template.ts";

export interface PutTemplate {
  readonly name: string;
  readonly version: number;
  /** False if the latest version says the same. */
  readonly isNew: boolean;
}

export interface TemplatePage {
  readonly templates: readonly Omit<TemplateRecord, "fingerprint" | "queue" | "isRemoved">[];
  /** Give it back as `after` to get the next page; null at the end. */
  readonly cursor: string | null;
}

export interface TemplateVersionPage {
  readonly versions: readonly TemplateVersion[];
  readonly cursor: number | null;
}

export interface TemplateApi {
  /** Makes a new version, unless the latest one says the same. Rejects with `invalid`, which lists all that is wrong. */
  put(name: string, content: Json, by?: Actor): Promise<PutTemplate>;
  /** Nothing is made from it any more; its versions stay readable. */
  remove(name: string, by?: Actor): Promise<void>;
  list(after: string | null, limit: number, by?: Actor): Promise<TemplatePage>;
  /** A version; the latest one for null. */
  read(name: string, version: number | null, by?: Actor): Promise<TemplateVersion>;
  /** Oldest first. */
  versions(name: string, after: number | null, limit: number, by?: Actor): Promise<TemplateVersionPage>;
  /** Makes a task. A repeated call with its id or key finds the same task, also if the template has changed meanwhile. */
  run(name: string, wish: TemplateRun, key: string | null, by?: Actor, traceparent?: string): Promise<SubmittedTask>;
}
