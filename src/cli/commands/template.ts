/** `outlast template`: puts, lists, shows and removes templates. */
import type { Command } from "commander";
import type { TemplateContent, TemplateSummary, TemplateVariable } from "../../model/templates/template.ts";
import { idArgument, wholeNumber } from "../arguments.ts";
import { nameOf, readContent } from "../contentFile.ts";
import { action, type Context } from "../context.ts";
import { formatInstant } from "../duration.ts";
import type { Column } from "../table.ts";
import { printable } from "../terminalText.ts";

const examples = `
A template is a YAML or JSON file:
  name: count
  variables:
    n: { type: integer, minimum: 1, default: 10 }
  task:
    kind: exec
    input: { command: [seq, "\${n}"] }

  outlast template put count.yaml
  outlast run count --var n=100
`;

export function templateCommand(program: Command): void {
  const template = program.command("template").addHelpText("after", examples);
  template
    .command("put")
    .description("make a new version of a template; the same content makes none")
    .argument("<file>", "a YAML or JSON file; - is stdin")
    .option("--name <name>", "the template's name, if the file does not say it", idArgument)
    .action(action(put));
  template.command("ls").description("list the templates").action(action(list));
  template
    .command("show")
    .description("show a template, its variables and its task")
    .argument("<name>", "the template", idArgument)
    .option("--version <n>", "an older version", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option("--all", "list its versions")
    .action(action(show));
  template
    .command("rm")
    .description("remove a template; its tasks stay, and its versions can still be read")
    .argument("<name>", "the template", idArgument)
    .action(action(remove));
}

async function put(context: Context, file: string, flags: { readonly name?: string }): Promise<undefined> {
  const { name: own, ...content } = await readContent(file);
  const name = nameOf("template", flags.name ?? own);
  const client = await context.client();
  const answer = await client.putTemplate(name, content as unknown as TemplateContent, {
    signal: context.signal,
  });
  const { output } = context;
  if (output.isJson) return output.document(answer) as undefined;
  output.line(`${name} version ${answer.version}`);
  if (!answer.isNew) output.note("The latest version says the same, so there is no new one.");
}

async function list(context: Context): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  const templates: TemplateSummary[] = [];
  for await (const template of client.templates({ signal })) templates.push(template);
  if (output.isJson) return output.document({ templates }) as undefined;
  if (templates.length === 0) return output.note("There are no templates yet.") as undefined;
  output.table(columns, templates);
}

const columns: readonly Column<TemplateSummary>[] = [
  { title: "TEMPLATE", text: ({ name }) => name },
  { title: "VERSION", text: ({ version }) => String(version), isRightAligned: true },
  { title: "CHANGED", text: ({ changedAt }) => formatInstant(changedAt) },
  { title: "DESCRIPTION", text: ({ description = "" }) => description, isElastic: true },
];

async function show(
  context: Context,
  name: string,
  flags: { readonly version?: number; readonly all?: boolean },
): Promise<undefined> {
  const client = await context.client();
  const { output, signal } = context;
  if (flags.all === true) {
    const versions = [];
    for await (const version of client.templateVersions(name, { signal })) versions.push(version);
    if (output.isJson) return output.document({ versions }) as undefined;
    for (const { version, createdAt } of versions) output.line(`${version} ${formatInstant(createdAt)}`);
    return undefined;
  }
  const { version } = flags;
  const template = await client.template(name, { signal, ...(version !== undefined && { version }) });
  if (output.isJson) return output.document(template) as undefined;
  const { paint } = output;
  const row = (label: string, value: string): void =>
    output.line(`${paint("dim", label.padEnd(11))} ${printable(value).replaceAll("\n", `\n${" ".repeat(12)}`)}`);
  row("template", `${template.name}, version ${template.version}`);
  row("created", formatInstant(template.createdAt));
  if (template.description !== undefined) row("description", template.description);
  for (const [variable, declaration] of Object.entries(template.variables ?? {}))
    row(variable, variableText(declaration));
  row("task", JSON.stringify(template.task));
}

function variableText(variable: TemplateVariable): string {
  const { type, minimum, maximum, default: value, enum: allowed, description } = variable;
  return [
    type,
    minimum === undefined ? null : `at least ${minimum}`,
    maximum === undefined ? null : `at most ${maximum}`,
    allowed === undefined ? null : `one of ${allowed.map((item) => JSON.stringify(item)).join(", ")}`,
    value === undefined ? "required" : `default ${JSON.stringify(value)}`,
    description ?? null,
  ]
    .filter((part) => part !== null)
    .join("; ");
}

async function remove(context: Context, name: string): Promise<undefined> {
  const client = await context.client();
  await client.removeTemplate(name, { signal: context.signal });
  if (context.output.isJson) context.output.document({ name, isRemoved: true });
  else context.output.line(`${name} ${context.output.paint("dim", "removed")}`);
}
