/** Schemas of templates. */
import { limits } from "../../model/limits.ts";
import { closed, count, id, instant, limitKeyword, list, open, ref, text, truth } from "../../model/schema.ts";
import { templateSchema } from "../../model/templates/template.ts";

const values = {
  type: "object",
  maxProperties: limits.variablesMax,
  [limitKeyword]: "variablesMax",
  description: "Values by the names of variables.",
};
const name = { type: "string", minLength: 1, maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" };
const task = { type: "object", description: "A submission without an id, with placeholders in its strings." };

export const templateSchemas = {
  Template: templateSchema,
  TemplatePut: open({
    name: id,
    version: count,
    isNew: { ...truth, description: "False if the latest version says the same." },
  }),
  TemplateVersion: open(
    { name: id, version: count, createdAt: instant, task },
    { description: text, variables: { type: "object" } },
  ),
  TemplatePage: open({
    templates: list(open({ name: id, version: count, changedAt: instant }, { description: text })),
    cursor: { type: ["string", "null"], description: "Send it to get the next page; null at the end." },
  }),
  TemplateVersionPage: open({
    versions: list(ref("TemplateVersion")),
    cursor: { type: ["integer", "null"], description: "Send it to get the next page; null at the end." },
  }),
  TemplateRemoved: open({ name: id, isRemoved: { const: true } }),
  TemplateRun: closed(
    {},
    {
      variables: values,
      version: {
        type: "integer",
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "The latest one if left out.",
      },
      id: { ...id, description: "Asking twice for the same id with the same request is one task." },
      name: { ...name, description: "For people; what the template says, or the id, if left out." },
    },
    { examples: [{ variables: { n: 100 } }] },
  ),
  TemplateOrigin: open({ template: id, version: count, variables: { type: "object" } }),
};
