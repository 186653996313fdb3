/** Every template, and a form made from its variables that runs it. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { post, segment } from "../../api/client.ts";
import { templateQuery, templatesQuery } from "../../api/queries.ts";
import { useMay, useSeesAllQueues } from "../../api/rights.ts";
import type { Submitted, TemplateVersion } from "../../api/schema.ts";
import { chosenOf, NoneOfThatName } from "../../parts/chosen.tsx";
import { Button } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { JsonTree } from "../../parts/jsonTree.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { example, exampleFile } from "./example.ts";
import { RemoveDialog } from "./removeDialog.tsx";
import { TemplateDialog } from "./templateDialog.tsx";
import { VariableFields } from "./variableFields.tsx";
import { initialTexts, type Variables, valuesOf } from "./variables.ts";

const route = getRouteApi("/templates");
/** So much of a task is open at first: arguments are where variables stand. */
const taskDepth = 3;

export function TemplatesPage() {
  const { name } = route.useSearch();
  const { data, error } = useQuery(templatesQuery);
  const seesAll = useSeesAllQueues();
  const mayPut = useMay("operate");
  const [isMaking, setMaking] = useState(false);
  if (data === undefined) return error === null ? <Loading what="the templates" /> : <Problem error={error} />;
  const { templates } = data;
  const shown = chosenOf(templates, name);
  return (
    <>
      <PageHeader title="Templates" note={counted(templates.length, "template")}>
        {mayPut ? (
          <Button look="primary" onClick={() => setMaking(true)}>
            New template …
          </Button>
        ) : null}
      </PageHeader>
      {name !== undefined && shown === undefined ? (
        <div className="mb-4">
          <NoneOfThatName what="template" name={name} />
        </div>
      ) : null}
      {templates.length === 0 ? (
        <div className="card">
          <Empty
            title={seesAll ? "No template yet" : "No template in your queues"}
            command={`outlast template put ${exampleFile}`}
            needs="operate"
          >
            A template is a task with variables. It is made here, or put from a file with a command.
          </Empty>
          {mayPut ? (
            <figure className="mx-auto max-w-xl px-4 pb-10">
              <figcaption className="pb-1 text-muted text-xs">For example {exampleFile}:</figcaption>
              <pre
                aria-label={`An example of ${exampleFile}`}
                className="whitespace-pre-wrap rounded-md border border-line bg-raised p-3 font-mono text-xs"
              >
                {example}
              </pre>
            </figure>
          ) : null}
        </div>
      ) : (
        <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
          <Card isFlush>
            <Table label="Templates" heads={["Template", "Version", "Changed"]}>
              {templates.map(({ name: each, version, changedAt, description }) => (
                <Row key={each}>
                  <Cell className={each === shown?.name ? "font-semibold text-accent" : "font-medium"}>
                    <Link to="/templates" search={{ name: each }} data-row className="hover:underline">
                      {each}
                    </Link>
                    {description === undefined ? null : <p className="font-normal text-muted">{description}</p>}
                  </Cell>
                  <Cell className="figures">{version}</Cell>
                  <Cell className="text-muted">
                    <Ago at={changedAt} />
                  </Cell>
                </Row>
              ))}
            </Table>
          </Card>
          {shown === undefined ? null : <Detail key={`${shown.name} ${shown.version}`} name={shown.name} />}
        </div>
      )}
      {isMaking ? (
        <TemplateDialog template={null} names={templates.map((each) => each.name)} onClose={() => setMaking(false)} />
      ) : null}
    </>
  );
}

function Detail({ name }: { readonly name: string }) {
  const { data, error } = useQuery(templateQuery(name));
  const maySubmit = useMay("submit");
  const mayPut = useMay("operate");
  const [open, setOpen] = useState<"change" | "remove" | null>(null);
  const close = () => setOpen(null);
  if (data === undefined) return error === null ? <Loading what="the template" /> : <Problem error={error} />;
  return (
    <div className="grid gap-4">
      {maySubmit ? <RunForm template={data} /> : null}
      <Card
        title="Task"
        note={`version ${data.version}`}
        actions={
          mayPut ? (
            <>
              <Button onClick={() => setOpen("change")}>New version …</Button>
              <Button look="danger" onClick={() => setOpen("remove")}>
                Remove …
              </Button>
            </>
          ) : null
        }
      >
        <JsonTree value={data.task} openDepth={taskDepth} />
      </Card>
      {open === "change" ? <TemplateDialog template={data} names={[]} onClose={close} /> : null}
      {open === "remove" ? <RemoveDialog name={name} onClose={close} /> : null}
    </div>
  );
}

function RunForm({ template }: { readonly template: TemplateVersion }) {
  const variables = (template.variables ?? {}) as Variables;
  const [texts, setTexts] = useState(() => initialTexts(variables));
  const navigate = useNavigate();
  const run = useMutation({
    mutationFn: (values: object) =>
      post<Submitted>(`/v1/templates/${segment(template.name)}/run`, { variables: values }),
    onSuccess: ({ id }) => navigate({ to: "/tasks/$id", params: { id } }),
  });
  return (
    <Card title={`Run ${template.name}`} note={template.description}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          run.mutate(valuesOf(variables, texts));
        }}
      >
        <VariableFields variables={variables} texts={texts} onTexts={setTexts} />
        {run.error === null ? null : <Problem error={run.error} />}
        <div>
          <Button type="submit" look="primary" disabled={run.isPending}>
            Run it
          </Button>
        </div>
      </form>
    </Card>
  );
}
