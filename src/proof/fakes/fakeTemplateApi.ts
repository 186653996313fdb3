/** The templates of a fake master: kept in a map, expanded as a master expands them. */

import type { PutTemplate, TemplateApi, TemplatePage, TemplateVersionPage } from "../../master/service/templateApi.ts";
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import type { Submission } from "../../model/submission.ts";
import { checkTemplate, expandTemplate } from "../../model/templates/expansion.ts";
import type { TemplateContent, TemplateRun, TemplateVersion } from "../../model/templates/template.ts";

type Submit = (
  submissions: readonly Submission[],
  key: string | null,
) => Promise<readonly { readonly id: string; readonly isNew: boolean }[]>;

export class FakeTemplateApi implements TemplateApi {
  readonly #versions = new Map<string, TemplateVersion[]>();
  readonly #submit: Submit;

  constructor(submit: Submit) {
    this.#submit = submit;
  }

  async put(name: string, content: Json): Promise<PutTemplate> {
    checkTemplate(content);
    const template: TemplateContent = content;
    const versions = this.#versions.get(name) ?? [];
    const version = versions.length + 1;
    this.#versions.set(name, [...versions, { name, version, createdAt: 1000, ...template }]);
    return { name, version, isNew: true };
  }

  async remove(name: string): Promise<void> {
    if (!this.#versions.delete(name)) throw new OutlastError("not-found", `There is no template ${name}.`);
  }

  async list(_after: string | null, limit: number): Promise<TemplatePage> {
    const templates = [...this.#versions].map(([name, { length: version }]) => ({ name, version, changedAt: 1000 }));
    return { templates: templates.slice(0, limit), cursor: null };
  }

  async read(name: string, version: number | null): Promise<TemplateVersion> {
    const found = this.#versions.get(name)?.at(version === null ? -1 : version - 1);
    if (found === undefined) throw new OutlastError("not-found", `There is no template ${name}.`);
    return found;
  }

  async versions(name: string): Promise<TemplateVersionPage> {
    return { versions: this.#versions.get(name) ?? [], cursor: null };
  }

  async run(name: string, { variables = {}, id }: TemplateRun, key: string | null) {
    const { task } = expandTemplate(await this.read(name, null), variables);
    const [submitted] = await this.#submit([id === undefined ? task : { ...task, id }], key);
    if (submitted === undefined) throw new Error("Nothing was submitted.");
    return submitted as { id: never; isNew: boolean };
  }
}
