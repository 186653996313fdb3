/** Who leads, since when, and what happened to masters and workers lately. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { marksQuery, mastersQuery } from "../../api/queries.ts";
import type { Mark, Master } from "../../api/schema.ts";
import { Card, Loading } from "../../parts/surfaces.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";
import { isDeath, latelyOf, markText } from "./lately.ts";

const marksShown = 8;
const sureMs = 5_000;

export function MastersCard() {
  const { data } = useQuery(mastersQuery);
  return (
    <Card title="Masters" isFlush>
      {data === undefined ? (
        <Loading what="the masters" />
      ) : (
        <ul className="divide-y divide-line">
          {data.masters.toSorted(byRole).map((master) => (
            <li key={master.nonce} className="flex flex-wrap items-baseline gap-x-3 px-4 py-2">
              <span className="font-medium">{master.name}</span>
              <span className={master.role === "leader" ? "font-medium text-accent" : "text-muted"}>{master.role}</span>
              <span className="text-muted">epoch {master.epoch}</span>
              {master.lag > 0 && master.role === "standby" ? (
                <span className="text-retrying">{master.lag} entries behind</span>
              ) : null}
              <span className="ml-auto text-muted">
                for <Lasted from={master.roleSince} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function byRole(a: Master, b: Master): number {
  return Number(b.role === "leader") - Number(a.role === "leader") || a.name.localeCompare(b.name);
}

export function MarksCard() {
  const { data } = useQuery(marksQuery);
  const marks = latelyOf(data?.marks ?? [], marksShown);
  return (
    <Card title="Lately" note="elections and workers" isFlush>
      {data === undefined ? (
        <Loading what="the events" />
      ) : (
        <ol className="divide-y divide-line">
          {marks.map((mark, index) => (
            <li key={`${mark.at} ${index}`} className="flex items-baseline gap-3 px-4 py-2">
              <span aria-hidden="true" className={`size-1.5 shrink-0 self-center rounded-full ${dot(mark)}`} />
              <span className="min-w-0 break-words">
                <MarkText mark={mark} />
              </span>
              <span className="ml-auto text-muted">
                <Ago at={mark.at} />
              </span>
            </li>
          ))}
          {marks.length === 0 ? <Nothing /> : null}
        </ol>
      )}
    </Card>
  );
}

const lossLook = "underline decoration-line-strong underline-offset-2 hover:text-accent hover:decoration-accent";

/** What is told of a worker leads to what ran there, of a death to what it cost. */
function MarkText({ mark }: { readonly mark: Mark }) {
  if (mark.kind === "leader") return markText(mark);
  const hasLost = (mark.attemptsLost ?? 0) > 0;
  const search = hasLost ? { outcome: "killed" as const } : {};
  return (
    <Link
      to="/workers/$worker"
      params={{ worker: mark.worker }}
      search={search}
      className={hasLost ? lossLook : "hover:underline"}
    >
      {markText(mark)}
    </Link>
  );
}

/** A master that has just started hears of the election and the workers in the next moments. */
function Nothing() {
  const [isSure, setSure] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSure(true), sureMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <li className="px-4 py-3 text-muted">
      {isSure ? "Nothing since this master started." : "Waiting for the first events …"}
    </li>
  );
}

function dot(mark: Mark): string {
  if (isDeath(mark)) return "bg-failed";
  return { leader: "bg-accent", attached: "bg-success", drained: "bg-retrying", lost: "bg-failed", left: "bg-created" }[
    mark.kind
  ];
}
