/** The audit record: who changed what, who signed in, who was refused; filters stand in the address. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { get } from "../../api/client.ts";
import type { AuditRecord, AuditPage as Page } from "../../api/schema.ts";
import { Button, Field, Labelled, Select } from "../../parts/controls.tsx";
import { OnlyFor } from "../../parts/onlyFor.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { type AuditFilters, actionOf, actionText, readAuditFilters } from "./auditFilters.ts";

const route = getRouteApi("/audit");
const pageSize = 100;

export function AuditPage() {
  return (
    <OnlyFor needs="administer" title="Audit">
      <Audit />
    </OnlyFor>
  );
}

function Audit() {
  // The router hands on what the address says besides, too.
  const filters = readAuditFilters(route.useSearch());
  const navigate = useNavigate();
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["audit", filters],
    meta: { of: ["audit"] },
    queryFn: ({ pageParam, signal }) =>
      get<Page>("/v1/audit", { ...filters, cursor: pageParam, limit: pageSize }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    placeholderData: keepPreviousData,
  });
  const records = data?.pages.flatMap((page) => page.records) ?? [];
  const change = (next: AuditFilters) => void navigate({ to: "/audit", search: next, replace: true });
  return (
    <>
      <PageHeader
        title="Audit"
        note={data === undefined ? undefined : `${records.length}${hasNextPage ? "+" : ""} shown`}
      />
      <Filters key={JSON.stringify(filters)} filters={filters} onChange={change} />
      {error === null ? null : <Problem error={error} />}
      {data === undefined ? (
        error === null ? (
          <Loading what="the audit record" />
        ) : null
      ) : (
        <Card isFlush>
          {records.length === 0 && !hasNextPage ? (
            <Empty
              title={Object.keys(filters).length === 0 ? "Nothing is recorded yet" : "No record matches these filters"}
            >
              Changes are recorded from the first user or token on.
            </Empty>
          ) : (
            <Table label="Audit record" isDense heads={["When", "Who", "Did", "To", "Outcome", "From", "Details"]}>
              {records.map((record, index) => (
                <RecordRow key={`${record.at} ${record.by} ${index}`} record={record} />
              ))}
            </Table>
          )}
          {hasNextPage ? (
            <p className="border-t border-line p-2 text-center">
              <Button look="quiet" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                {isFetchingNextPage ? "Reading …" : "Show earlier ones"}
              </Button>
            </p>
          ) : null}
        </Card>
      )}
    </>
  );
}

function RecordRow({
  record: { at, by, action, target, outcome, count, address, detail },
}: {
  readonly record: AuditRecord;
}) {
  return (
    <Row>
      <Cell className="text-muted">
        <Ago at={at} />
      </Cell>
      <Cell className="font-medium">{by === "" ? <span className="text-muted">unknown</span> : by}</Cell>
      <Cell>
        {actionText(action)}
        {count === undefined || count === 1 ? null : <span className="text-muted"> × {count}</span>}
      </Cell>
      <Cell className="max-w-72 font-mono text-xs break-all">{target ?? ""}</Cell>
      <Cell className={outcome === "refused" ? "font-medium text-failed" : "text-soft"}>
        {outcome === "refused" ? "✕ " : ""}
        {outcome}
      </Cell>
      <Cell className="text-muted">{address ?? ""}</Cell>
      <Cell className="max-w-96 break-words text-soft max-md:col-span-full">{detail ?? ""}</Cell>
    </Row>
  );
}

interface FiltersProps {
  readonly filters: AuditFilters;
  readonly onChange: (filters: AuditFilters) => void;
}

function Filters({ filters, onChange }: FiltersProps) {
  const [texts, setTexts] = useState({
    by: filters.by ?? "",
    action: actionText(filters.action ?? ""),
    target: filters.target ?? "",
  });
  const apply = (outcome: AuditFilters["outcome"]) => {
    const given = Object.entries(texts).filter(([, text]) => text.trim() !== "");
    const named = Object.fromEntries(
      given.map(([name, text]) => [name, name === "action" ? actionOf(text) : text.trim()]),
    );
    onChange({ ...named, ...(outcome !== undefined && { outcome }) });
  };
  const field = (name: keyof typeof texts, label: string, example: string) => (
    <Labelled label={label}>
      {(id) => (
        <Field
          id={id}
          placeholder={`such as ${example}`}
          spellCheck={false}
          autoCapitalize="none"
          className="w-44 max-md:w-full"
          value={texts[name]}
          onChange={(event) => setTexts({ ...texts, [name]: event.target.value })}
          {...(name === "by" ? { "data-search": true } : {})}
        />
      )}
    </Labelled>
  );
  return (
    <form
      role="search"
      aria-label="Filter the audit record"
      className="mb-3 flex flex-wrap items-end gap-x-3 gap-y-2 max-md:grid max-md:grid-cols-[repeat(2,minmax(0,1fr))]"
      onSubmit={(event) => {
        event.preventDefault();
        apply(filters.outcome);
      }}
    >
      {field("by", "Who", "user:ada")}
      {field("action", "Did", "sign in")}
      {field("target", "To", "mail")}
      <Labelled label="Outcome">
        {(id) => (
          <Select
            id={id}
            className="max-md:w-full max-md:min-w-0"
            value={filters.outcome ?? ""}
            onChange={(event) =>
              apply(event.target.value === "" ? undefined : (event.target.value as "done" | "refused"))
            }
          >
            <option value="">both</option>
            <option value="done">done</option>
            <option value="refused">refused</option>
          </Select>
        )}
      </Labelled>
      <Button type="submit" className="max-md:justify-center">
        Filter
      </Button>
      {Object.keys(filters).length === 0 ? null : (
        <Button look="quiet" onClick={() => onChange({})}>
          Clear
        </Button>
      )}
    </form>
  );
}
