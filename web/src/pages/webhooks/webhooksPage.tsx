/** Every webhook: what it is told, how its last deliveries went, and all that can be done with it. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { webhooksQuery } from "../../api/queries.ts";
import type { WebhookView } from "../../api/schema.ts";
import { chosenOf, NoneOfThatName } from "../../parts/chosen.tsx";
import { Button } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { OnlyFor } from "../../parts/onlyFor.tsx";
import { QueueList } from "../../parts/principals.tsx";
import { Card, Empty, Fact, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, durationText } from "../../parts/time.tsx";
import { Deliveries } from "./deliveries.tsx";
import { triggersOf, usualLateMs } from "./draft.ts";
import { Actions, TestResult } from "./webhookActions.tsx";
import { WebhookDialog } from "./webhookDialog.tsx";

const route = getRouteApi("/webhooks");
const number = new Intl.NumberFormat();

export function WebhooksPage() {
  return (
    <OnlyFor needs="operate" title="Webhooks">
      <Webhooks />
    </OnlyFor>
  );
}

function Webhooks() {
  const { name } = route.useSearch();
  const { data, error } = useQuery(webhooksQuery);
  const [isMaking, setMaking] = useState(false);
  if (data === undefined) return error === null ? <Loading what="the webhooks" /> : <Problem error={error} />;
  const { webhooks } = data;
  const shown = chosenOf(webhooks, name);
  const names = webhooks.map((webhook) => webhook.name);
  return (
    <>
      <PageHeader title="Webhooks" note={counted(webhooks.length, "webhook")}>
        <Button look="primary" onClick={() => setMaking(true)}>
          New webhook …
        </Button>
      </PageHeader>
      {isMaking ? <WebhookDialog webhook={null} names={names} onClose={() => setMaking(false)} /> : null}
      {name !== undefined && shown === undefined ? (
        <div className="mb-4">
          <NoneOfThatName what="webhook" name={name} />
        </div>
      ) : null}
      {webhooks.length === 0 ? (
        <div className="card">
          <Empty
            title="No webhook yet"
            command="outlast webhook add oncall https://example.com/hooks --on failure"
            needs="operate"
          >
            A webhook tells another service that tasks have ended, have failed or are late.
          </Empty>
        </div>
      ) : (
        <div className="grid gap-4">
          <Card isFlush>
            <Table
              label="Webhooks"
              heads={["Webhook", "Told of", "Waiting", "Delivered", "Given up", "Last request", "URL"]}
            >
              {webhooks.map((webhook) => (
                <WebhookRow key={webhook.name} webhook={webhook} isShown={webhook.name === shown?.name} />
              ))}
            </Table>
          </Card>
          {shown === undefined ? null : <Detail key={shown.name} webhook={shown} />}
        </div>
      )}
    </>
  );
}

function WebhookRow({ webhook, isShown }: { readonly webhook: WebhookView; readonly isShown: boolean }) {
  const { name, content, pending, delivered, givenUp, dropped } = webhook;
  return (
    <Row>
      <Cell className={isShown ? "font-semibold text-accent" : "font-medium"}>
        <Link to="/webhooks" search={{ name }} data-row className="hover:underline">
          {name}
        </Link>
      </Cell>
      <Cell className="whitespace-nowrap text-soft">{triggersOf(content).join(", ")}</Cell>
      <Cell className="figures">{number.format(pending)}</Cell>
      <Cell className="figures">{number.format(delivered)}</Cell>
      <Cell className={`figures ${givenUp + dropped > 0 ? "text-failed" : ""}`}>
        {number.format(givenUp + dropped)}
      </Cell>
      <Cell className="max-w-72 truncate max-md:col-span-full">
        <LastRequest last={webhook.last} />
      </Cell>
      <Cell className="max-w-72 truncate text-muted max-md:col-span-full">{content.url}</Cell>
    </Row>
  );
}

function LastRequest({ last }: { readonly last: WebhookView["last"] | undefined }) {
  if (last === undefined) return <span className="text-muted">none yet</span>;
  return (
    <>
      {last.problem === null ? (
        <span className="text-success">✓ delivered</span>
      ) : (
        <span className="text-failed" title={last.problem}>
          ✕ {last.problem}
        </span>
      )}{" "}
      <span className="text-muted">
        <Ago at={last.at} />
      </span>
    </>
  );
}

function Detail({ webhook }: { readonly webhook: WebhookView }) {
  const { name, content, last } = webhook;
  const [test, setTest] = useState<string | null>(null);
  return (
    <>
      <Card title={name} note={content.description} actions={<Actions webhook={webhook} onTest={setTest} />}>
        <div className="grid gap-4">
          {test === null ? null : <TestResult key={test} name={name} delivery={test} />}
          {last?.problem === undefined || last.problem === null ? null : (
            <p className="text-failed">
              The last request failed <Ago at={last.at} />: {last.problem}
            </p>
          )}
          <WebhookFacts webhook={webhook} />
        </div>
      </Card>
      <Deliveries webhook={webhook} />
    </>
  );
}

function WebhookFacts({ webhook: { content, rights, changedAt, dropped } }: { readonly webhook: WebhookView }) {
  const on = triggersOf(content);
  const { owner } = (rights ?? {}) as { readonly owner?: string };
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-[repeat(auto-fill,minmax(13rem,1fr))]">
      <Fact name="URL" isLong>
        <code className="text-xs break-all">{content.url}</code>
      </Fact>
      <Fact name="Told of">{on.join(", ")}</Fact>
      {on.includes("end") ? <Fact name="Ends">{content.states?.join(", ") ?? "all"}</Fact> : null}
      {on.includes("late") ? <Fact name="Late after">{durationText(content.lateMs ?? usualLateMs)}</Fact> : null}
      <Fact name="Queues">
        <QueueList queues={content.queues} />
      </Fact>
      <Fact name="Names of tasks">
        <QueueList queues={content.names} />
      </Fact>
      <Fact name="Templates">
        <QueueList queues={content.templates} />
      </Fact>
      {owner === undefined ? null : <Fact name="Made by">{owner}</Fact>}
      <Fact name="Changed">
        <Ago at={changedAt} />
      </Fact>
      {dropped === 0 ? null : <Fact name="Dropped, since too many waited">{number.format(dropped)}</Fact>}
    </dl>
  );
}
