/** How users, tokens and their rights are shown, and the fields that ask for them. */
import { useQuery } from "@tanstack/react-query";
import { coversQueue } from "../../../src/model/principals/principal.ts";
import { queuesQuery } from "../api/queries.ts";
import type { Session, User } from "../api/schema.ts";
import { Field, Labelled, Select } from "./controls.tsx";
import { patternsOf } from "./fieldTexts.ts";

export type Role = User["role"];

/** What each role may do, as docs/people.md says. */
export const roleTexts: { readonly [Name in Role]: string } = {
  viewer: "Reads.",
  submitter: "Reads, submits, and cancels its own tasks.",
  operator: "Reads, submits, cancels, pauses, drains, and edits templates, schedules and webhooks.",
  admin: "Does all that an operator does, manages users and tokens, and reads the audit.",
  worker: "Runs tasks and nothing else.",
};

export function whoText({ kind, name }: Session["principal"]): string {
  if (kind === "anybody") return "Anybody";
  return kind === "root" ? "Root token" : name;
}

export function QueueList({ queues }: { readonly queues: readonly string[] | null | undefined }) {
  if (queues === null || queues === undefined) return <span className="text-muted">all</span>;
  return (
    <span className="flex flex-wrap gap-1">
      {queues.map((queue) => (
        <code key={queue} className="rounded border border-line-strong/60 px-1.5 text-2xs">
          {queue}
        </code>
      ))}
    </span>
  );
}

/** So many are offered. */
const offeredMax = 12;

interface KnownQueuesProps {
  readonly text: string;
  readonly onText: (text: string) => void;
}

/** Offers the queues that there are, and says which names are of none: a queue may come later, so that is no mistake for sure. */
function KnownQueues({ text, onText }: KnownQueuesProps) {
  const { data } = useQuery(queuesQuery);
  if (data === undefined) return null;
  const known = data.queues.map(({ name }) => name).toSorted();
  const patterns = patternsOf(text) ?? [];
  const unknown = patterns.filter((pattern) => !known.some((queue) => coversQueue([pattern], queue)));
  const offered = known.filter((queue) => !coversQueue(patterns, queue)).slice(0, offeredMax);
  return (
    <>
      {offered.length === 0 ? null : (
        <span role="group" aria-label="Queues that there are" className="flex flex-wrap items-center gap-1">
          {offered.map((queue) => (
            <button
              key={queue}
              type="button"
              onClick={() => onText([...patterns, queue].join(" "))}
              className="rounded-full border border-line px-2 py-0.5 text-xs text-soft hover:border-line-strong hover:bg-hover max-md:py-1.5"
            >
              <span aria-hidden="true">+ </span>
              {queue}
            </button>
          ))}
        </span>
      )}
      {unknown.length === 0 ? null : (
        <p role="status" className="text-xs text-retrying">
          No task and no worker is in {unknown.join(", ")} so far. That may come; or is it mistyped?
        </p>
      )}
    </>
  );
}

interface RoleAndQueuesProps {
  readonly roles: readonly Role[];
  readonly role: Role;
  readonly onRole: (role: Role) => void;
  readonly queues: string;
  readonly onQueues: (queues: string) => void;
  /** Said beside what the role may do. */
  readonly roleNote?: string | undefined;
}

export function RoleAndQueues({ roles, role, onRole, queues, onQueues, roleNote }: RoleAndQueuesProps) {
  return (
    <>
      <Labelled label="Role" hint={roleNote === undefined ? roleTexts[role] : `${roleTexts[role]} ${roleNote}`}>
        {(id) => (
          <Select id={id} value={role} onChange={(event) => onRole(event.target.value as Role)}>
            {roles.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        )}
      </Labelled>
      {role === "admin" ? null : (
        <Labelled
          label="Only these queues"
          hint="Names with spaces between them; etl-* stands for all that begin with etl-. Empty for all queues."
        >
          {(id) => (
            <>
              <Field
                id={id}
                placeholder="all queues"
                value={queues}
                onChange={(event) => onQueues(event.target.value)}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
              />
              <KnownQueues text={queues} onText={onQueues} />
            </>
          )}
        </Labelled>
      )}
    </>
  );
}
