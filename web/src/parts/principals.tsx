/** How users, tokens and their rights are shown, and the fields that ask for them. */
import type { Session, User } from "../api/schema.ts";
import { Field, Labelled, Select } from "./controls.tsx";

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
            <Field
              id={id}
              placeholder="all queues"
              value={queues}
              onChange={(event) => onQueues(event.target.value)}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Labelled>
      )}
    </>
  );
}
