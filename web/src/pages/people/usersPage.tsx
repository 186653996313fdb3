/** The users: who signs in, with which role and to which queues; adding, changing and removing them. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { remove, segment } from "../../api/client.ts";
import { usersQuery } from "../../api/queries.ts";
import { useSession } from "../../api/rights.ts";
import type { Session, User } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { OnlyFor } from "../../parts/onlyFor.tsx";
import { QueueList } from "../../parts/principals.tsx";
import { SecretDialog } from "../../parts/secretDialog.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { UserDialog } from "./userDialog.tsx";

type Open =
  | { readonly kind: "add" }
  | { readonly kind: "change" | "remove"; readonly user: User }
  | { readonly kind: "password"; readonly name: string; readonly password: string };

export function UsersPage() {
  return (
    <OnlyFor needs="administer" title="Users">
      <Users />
    </OnlyFor>
  );
}

function Users() {
  const { data, error } = useQuery(usersQuery);
  const [open, setOpen] = useState<Open | null>(null);
  const session = useSession();
  const close = () => setOpen(null);
  if (data === undefined) return error === null ? <Loading what="the users" /> : <Problem error={error} />;
  const { users } = data;
  const isFirst = users.length === 0;
  const saved = (name: string, password: string | null) => {
    void queries.invalidateQueries({ queryKey: usersQuery.queryKey });
    setOpen(password === null ? null : { kind: "password", name, password });
  };
  return (
    <>
      <PageHeader title="Users" note={counted(users.length, "user")}>
        <Button look="primary" onClick={() => setOpen({ kind: "add" })}>
          Add a user …
        </Button>
      </PageHeader>
      <Card isFlush>
        {users.length === 0 ? (
          <Empty title="No user yet" command="outlast user add ada --role admin">
            Users sign in here with a name and a password. The first one must be an admin; from then on everybody needs
            a credential, workers too.
          </Empty>
        ) : (
          <Table label="Users" heads={["Name", "Role", "Queues", "Added", "By", "Changed", ""]}>
            {users.map((user) => (
              <UserRow key={user.name} user={user} onOpen={(kind) => setOpen({ kind, user })} />
            ))}
          </Table>
        )}
      </Card>
      {open?.kind === "add" ? <UserDialog isFirst={isFirst} onSaved={saved} onClose={close} /> : null}
      {open?.kind === "change" ? <UserDialog user={open.user} onSaved={saved} onClose={close} /> : null}
      {open?.kind === "remove" ? <RemoveDialog user={open.user} onClose={close} /> : null}
      {open?.kind === "password" ? (
        <SecretDialog title={`The password of ${open.name}`} secret={open.password} onClose={close}>
          {isOwn(open.name, session)
            ? "Keep it: you sign in with it from now on."
            : `Give it to ${open.name}, who can change it after signing in, by the name at the foot of the navigation.`}
        </SecretDialog>
      ) : null}
    </>
  );
}

interface UserRowProps {
  readonly user: User;
  readonly onOpen: (kind: "change" | "remove") => void;
}

function UserRow({ user, onOpen }: UserRowProps) {
  const session = useSession();
  return (
    <Row>
      <Cell className="font-medium">
        <Link
          to="/audit"
          search={{ by: `user:${user.name}` }}
          data-row
          className="hover:underline"
          title="What this user did"
        >
          {user.name}
        </Link>
        {session?.isOpen === false && isOwn(user.name, session) ? (
          <span className="ml-2 text-xs font-normal text-muted">you</span>
        ) : null}
      </Cell>
      <Cell>{user.role}</Cell>
      <Cell>
        <QueueList queues={user.queues} />
      </Cell>
      <Cell className="text-muted">
        <Ago at={user.createdAt} />
      </Cell>
      <Cell className="text-soft">{user.createdBy}</Cell>
      <Cell className="text-muted">
        <Ago at={user.changedAt} />
      </Cell>
      <Cell className="text-right">
        <span className="inline-flex gap-2">
          <Button aria-label={`Change ${user.name}`} onClick={() => onOpen("change")}>
            Change …
          </Button>
          <Button look="danger" aria-label={`Remove ${user.name}`} onClick={() => onOpen("remove")}>
            Remove …
          </Button>
        </span>
      </Cell>
    </Row>
  );
}

/** Whoever adds the first user of a cluster that is open to all becomes that user. */
function isOwn(name: string, session: Session | undefined): boolean {
  return session?.isOpen === true || (session?.principal.kind === "user" && session.principal.name === name);
}

function RemoveDialog({ user: { name }, onClose }: { readonly user: User; readonly onClose: () => void }) {
  const removal = useMutation({
    mutationFn: () => remove(`/v1/users/${segment(name)}`),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: usersQuery.queryKey });
      onClose();
    },
  });
  return (
    <DialogForm title={`Remove ${name}`} verb="Remove the user" look="danger" mutation={removal} onClose={onClose}>
      <p>
        <strong>{name}</strong> is signed out everywhere at once. What {name} has submitted stays.
      </p>
    </DialogForm>
  );
}
