/** Templates: which version is the latest one. What versions say is in the store; a task is expanded before it comes here. */

import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { type TemplateContent, versionId } from "../../model/templates/template.ts";
import { nameBlobsIn } from "./blobPins.ts";
import type { Batch, Reply } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { SchedulerModule } from "./module.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";

export const templatesModule = {
  inputs: {
    "put-template": (state, batch, { request, name, ...put }) =>
      reply(batch, request, putTemplate(state, batch, name, put)),
    "remove-template": (state, batch, { request, name }) => reply(batch, request, removeTemplate(state, batch, name)),
  },
} satisfies SchedulerModule;

function putTemplate(
  state: SchedulerState,
  batch: Batch,
  name: string,
  {
    content,
    fingerprint,
    queue,
  }: Pick<Extract<SchedulerInput, { kind: "put-template" }>, "content" | "fingerprint" | "queue">,
): Reply {
  const { templates } = state;
  nameBlobsIn(state, batch, content as unknown as Json);
  const before = templates.recordOf(name);
  if (before !== null && before.isRemoved !== true && before.fingerprint === fingerprint) {
    return { kind: "template", version: before.version, isNew: false };
  }
  if (before === null && templates.size >= limits.templatesMax) {
    return refuse("too-many", `Too many templates (${limits.templatesMax}).`, "templatesMax");
  }
  const version = (before?.version ?? 0) + 1;
  const { description } = content;
  const record = { name, version, fingerprint, queue, changedAt: batch.now };
  templates.write(batch, { ...record, ...(description !== undefined && { description }) });
  writeVersion(batch, name, version, { name, version, createdAt: batch.now, ...content });
  if (version > limits.templateVersionsMax) writeVersion(batch, name, version - limits.templateVersionsMax, null);
  return { kind: "template", version, isNew: true };
}

function writeVersion(
  batch: Batch,
  name: string,
  version: number,
  value: (TemplateContent & { name: string; version: number; createdAt: number }) | null,
): void {
  batch.out.writes.push({ kind: "record", collection: "templateVersions", id: versionId(name, version), value });
}

function removeTemplate({ templates }: SchedulerState, batch: Batch, name: string): Reply {
  const record = templates.recordOf(name);
  if (record === null || record.isRemoved === true) return refuse("not-found", `There is no template ${name}.`);
  templates.write(batch, { ...record, changedAt: batch.now, isRemoved: true });
  return { kind: "done" };
}
