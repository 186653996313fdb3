/** The tokens of programs and workers: making one, whose secret is shown once, and removing it. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { post, remove, segment } from "../../api/client.ts";
import { tokensQuery } from "../../api/queries.ts";
import { useSession } from "../../api/rights.ts";
import type { Token, TokenMade } from "../../api/schema.ts";
import { queries, signInFirst } from "../../api/session.ts";
import { Button, Labelled, Select, TextField } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { patternsOf } from "../../parts/fieldTexts.ts";
import { OnlyFor } from "../../parts/onlyFor.tsx";
import { QueueList, type Role, RoleAndQueues } from "../../parts/principals.tsx";
import { SecretDialog } from "../../parts/secretDialog.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, useNow } from "../../parts/time.tsx";

const rolesOfTokens: readonly Role[] = ["viewer", "submitter", "operator", "admin", "worker"];
const dayMs = 86_400_000;
/** Days until a token ends; 0 stands for never. */
const lifetimes = [30, 90, 365, 0];

type Open =
  | { readonly kind: "add" }
  | { readonly kind: "made"; readonly made: TokenMade }
  | { readonly kind: "remove"; readonly token: Token };

export function TokensPage() {
  return (
    <OnlyFor needs="administer" title="Tokens">
      <Tokens />
    </OnlyFor>
  );
}

function Tokens() {
  const { data, error } = useQuery(tokensQuery);
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  if (data === undefined) return error === null ? <Loading what="the tokens" /> : <Problem error={error} />;
  const { tokens } = data;
  return (
    <>
      <PageHeader title="Tokens" note={counted(tokens.length, "token")}>
        <Button look="primary" onClick={() => setOpen({ kind: "add" })}>
          Make a token …
        </Button>
      </PageHeader>
      <Card isFlush>
        {tokens.length === 0 ? (
          <Empty title="No token yet" command="outlast token add ci --role submitter">
            Programs and workers send a token with every call.
          </Empty>
        ) : (
          <Table label="Tokens" heads={["Name", "Role", "Queues", "Made", "By", "Ends", "Last used", ""]}>
            {tokens.map((token) => (
              <Row key={token.name}>
                <Cell className="font-medium">
                  <Link
                    to="/audit"
                    search={{ by: `token:${token.name}` }}
                    data-row
                    className="hover:underline"
                    title="What it was used for"
                  >
                    {token.name}
                  </Link>
                </Cell>
                <Cell>{token.role}</Cell>
                <Cell>
                  <QueueList queues={token.queues} />
                </Cell>
                <Cell className="text-muted">
                  <Ago at={token.createdAt} />
                </Cell>
                <Cell className="text-soft">{token.createdBy}</Cell>
                <Cell>
                  <Ends at={token.expiresAt} />
                </Cell>
                <Cell className="text-muted">
                  {token.lastUsedAt === undefined ? "never" : <Ago at={token.lastUsedAt} />}
                </Cell>
                <Cell className="text-right">
                  <Button
                    look="danger"
                    aria-label={`Remove ${token.name}`}
                    onClick={() => setOpen({ kind: "remove", token })}
                  >
                    Remove …
                  </Button>
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </Card>
      {open?.kind === "add" ? <AddDialog onMade={(made) => setOpen({ kind: "made", made })} onClose={close} /> : null}
      {open?.kind === "remove" ? <RemoveDialog token={open.token} onClose={close} /> : null}
      {open?.kind === "made" ? (
        <SecretDialog title={`The token ${open.made.name}`} secret={open.made.token} onClose={close}>
          Put it into a file that only its program can read, and name that file with{" "}
          <code className="whitespace-nowrap">--token-file</code> or <code>OUTLAST_TOKEN_FILE</code>.
        </SecretDialog>
      ) : null}
    </>
  );
}

function Ends({ at }: { readonly at: number | undefined }) {
  const now = useNow();
  if (at === undefined) return <span className="text-muted">never</span>;
  return (
    <span className={at <= now ? "font-medium text-failed" : "text-soft"}>
      {at <= now ? "ended " : ""}
      <Ago at={at} />
    </span>
  );
}

interface AddDialogProps {
  readonly onMade: (made: TokenMade) => void;
  readonly onClose: () => void;
}

function AddDialog({ onMade, onClose }: AddDialogProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("submitter");
  const [queues, setQueues] = useState("");
  const [days, setDays] = useState(90);
  const isOpenCluster = useSession()?.isOpen === true;
  const add = useMutation({
    mutationFn: async () => {
      const patterns = role === "admin" ? undefined : patternsOf(queues);
      const made = await post<TokenMade>("/v1/tokens", {
        ...{ name, role },
        ...(patterns !== undefined && { queues: patterns }),
        ...(days > 0 && { expiresAt: Date.now() + days * dayMs }),
      });
      // If it fails, the sign-in comes once somebody has said that he has the token.
      if (isOpenCluster) await signInFirst({ token: made.token }).catch(() => {});
      return made;
    },
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
      onMade(made);
    },
  });
  return (
    <DialogForm title="Make a token" verb="Make the token" mutation={add} onClose={onClose}>
      <TextField
        label="Name"
        hint="It stands in the audit as token:NAME."
        required
        autoComplete="off"
        spellCheck={false}
        value={name}
        onText={setName}
      />
      <RoleAndQueues roles={rolesOfTokens} {...{ role, queues }} onRole={setRole} onQueues={setQueues} />
      <Labelled label="Ends">
        {(id) => (
          <Select id={id} value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {lifetimes.map((each) => (
              <option key={each} value={each}>
                {each === 0 ? "never" : `after ${each} days`}
              </option>
            ))}
          </Select>
        )}
      </Labelled>
    </DialogForm>
  );
}

function RemoveDialog({ token: { name, role }, onClose }: { readonly token: Token; readonly onClose: () => void }) {
  const removal = useMutation({
    mutationFn: () => remove(`/v1/tokens/${segment(name)}`),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
      onClose();
    },
  });
  return (
    <DialogForm title={`Remove ${name}`} verb="Remove the token" look="danger" mutation={removal} onClose={onClose}>
      <p>
        <strong>{name}</strong> is refused at once.
        {role === "worker" ? " Workers that use it lose their connection, and their tasks run again elsewhere." : ""}
      </p>
    </DialogForm>
  );
}
