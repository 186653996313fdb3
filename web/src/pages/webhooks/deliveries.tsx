/** The deliveries of a webhook: those that wait, with their tries, and the last that were given up. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { deliveriesQuery } from "../../api/queries.ts";
import type { DeliveryView, WebhookView } from "../../api/schema.ts";
import { Button, Segments } from "../../parts/controls.tsx";
import { Card, Loading, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, useNow } from "../../parts/time.tsx";

const number = new Intl.NumberFormat();
const pageSize = 50;
/** What is shown is read again when something changes; `outlast webhook deliveries` lists any number. */
const shownMax = 500;
/** As many as are kept. They come in no order, so all of them are read to show the last ones. */
const givenUpMax = 1_000;

type State = "pending" | "given-up";

export function Deliveries({ webhook }: { readonly webhook: WebhookView }) {
  const { name, pending, givenUp } = webhook;
  const [state, setState] = useState<State>("pending");
  const [shown, setShown] = useState(pageSize);
  const isFailing = (webhook.last?.problem ?? null) !== null;
  const choices = [
    ["pending", `Waiting ${number.format(pending)}`],
    ["given-up", `Given up ${number.format(givenUp)}`],
  ] as const;
  return (
    <Card
      title="Deliveries"
      actions={
        <Segments
          label="Which deliveries"
          values={choices}
          chosen={state}
          onChoose={(each) => {
            setState(each);
            setShown(pageSize);
          }}
        />
      }
      isFlush
    >
      <List key={state} {...{ name, state, shown }} isFailing={isFailing} onMore={() => setShown(shown + pageSize)} />
    </Card>
  );
}

interface ListProps {
  readonly name: string;
  readonly state: State;
  /** The last request has failed. */
  readonly isFailing: boolean;
  readonly shown: number;
  readonly onMore: () => void;
}

function List({ name, state, isFailing, shown, onMore }: ListProps) {
  const isGivenUp = state === "given-up";
  const { data, error } = useQuery(deliveriesQuery(name, state, isGivenUp ? givenUpMax : shown));
  if (data === undefined) return error === null ? <Loading what="the deliveries" /> : <Problem error={error} />;
  const found = isGivenUp
    ? data.deliveries.toSorted((a, b) => (b.givenUpAt ?? 0) - (a.givenUpAt ?? 0))
    : data.deliveries;
  const isMore = data.cursor !== null || found.length > shown;
  if (found.length === 0)
    return <p className="px-4 py-3 text-muted">{isGivenUp ? "Nothing was given up." : "Nothing waits."}</p>;
  return (
    <>
      {isGivenUp || !isFailing || found.length < 2 ? null : (
        <p className="border-b border-line px-4 py-2 text-muted">
          While its receiver fails, one delivery is tried at a time, after a pause; the others wait for their turn.
        </p>
      )}
      <Table
        label="Deliveries"
        isDense
        heads={[
          "Event",
          "Of",
          "Happened",
          "Failed tries",
          isGivenUp ? "Given up" : "Next try",
          "Why the last one failed",
        ]}
      >
        {found.slice(0, shown).map((delivery) => (
          <DeliveryRow key={delivery.id} delivery={delivery} />
        ))}
      </Table>
      {isMore ? (
        <p className="flex flex-wrap items-center gap-3 border-t border-line px-4 py-2 text-muted">
          {isGivenUp ? "The last" : "The oldest"} {Math.min(shown, found.length)} are shown.
          {shown < shownMax ? (
            <Button look="quiet" onClick={onMore}>
              Show {pageSize} more
            </Button>
          ) : (
            <code className="text-xs">
              outlast webhook deliveries {name}
              {isGivenUp ? " --given-up" : ""}
            </code>
          )}
        </p>
      ) : null}
    </>
  );
}

function DeliveryRow({ delivery }: { readonly delivery: DeliveryView }) {
  const { type, at, tries = 0, nextAt, givenUpAt, problem } = delivery;
  return (
    <Row>
      <Cell className="font-mono text-xs whitespace-nowrap">{type}</Cell>
      <Cell className="max-w-64 truncate max-md:col-span-full">
        <Subject delivery={delivery} />
      </Cell>
      <Cell className="text-muted">
        <Ago at={at} />
      </Cell>
      <Cell className="figures">{tries}</Cell>
      <Cell className="text-muted">{givenUpAt !== undefined ? <Ago at={givenUpAt} /> : <NextTry at={nextAt} />}</Cell>
      <Cell className="max-w-96 truncate text-failed max-md:col-span-full">
        {problem === undefined ? null : <span title={problem}>{problem}</span>}
      </Cell>
    </Row>
  );
}

/** Once its time has come, it still waits for its turn, as one does that was never tried. */
function NextTry({ at }: { readonly at: number | undefined }) {
  const now = useNow();
  return at === undefined || at <= now ? "in its turn" : <Ago at={at} />;
}

/** What the event is about. */
function Subject({ delivery: { task, schedule, alarm } }: { readonly delivery: DeliveryView }) {
  if (task !== undefined)
    return (
      <Link to="/tasks/$id" params={{ id: task }} data-row className="hover:underline">
        {task}
      </Link>
    );
  if (schedule !== undefined)
    return (
      <Link to="/schedules" search={{ name: schedule.name }} data-row className="hover:underline">
        schedule {schedule.name}
      </Link>
    );
  return <span className="text-muted">{alarm?.message ?? "–"}</span>;
}
