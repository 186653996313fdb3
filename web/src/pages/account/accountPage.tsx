/** Who is signed in, what he may do, and his password. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { put } from "../../api/client.ts";
import { useSession } from "../../api/rights.ts";
import type { Session } from "../../api/schema.ts";
import { forget, signOut } from "../../api/session.ts";
import { Button } from "../../parts/controls.tsx";
import { QueueList, roleTexts, whoText } from "../../parts/principals.tsx";
import { SecretField } from "../../parts/secretField.tsx";
import { Card, Command, Fact, Facts, Note, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Ago } from "../../parts/time.tsx";

export function AccountPage() {
  const session = useSession();
  if (session === undefined) return null;
  const { principal, expiresAt, isOpen } = session;
  return (
    <>
      <PageHeader title="Your account">
        {isOpen ? null : <Button onClick={() => void signOut(session)}>Sign out</Button>}
      </PageHeader>
      <div className="grid gap-4">
        {isOpen ? (
          <Note tone="warn">
            <p className="font-medium">Nobody needs a credential here</p>
            <p className="mb-2">Whoever reaches this port may do everything. The first user ends that.</p>
            <Command text="outlast user add NAME --role admin" />
          </Note>
        ) : null}
        <Card>
          <Facts>
            <Fact name="You are">{whoText(principal)}</Fact>
            <Fact name="Role" isLong>
              {principal.role}
              <p className="text-muted">{roleTexts[principal.role]}</p>
            </Fact>
            <Fact name="Queues">
              <QueueList queues={principal.queues} />
            </Fact>
            {expiresAt === undefined ? null : (
              <Fact name="Session ends" isLong>
                <Ago at={expiresAt} /> <span className="text-muted">without use</span>
              </Fact>
            )}
          </Facts>
        </Card>
        {principal.kind === "user" ? <PasswordCard principal={principal} /> : null}
      </div>
    </>
  );
}

function PasswordCard({ principal: { name } }: { readonly principal: Session["principal"] }) {
  const [password, setPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const change = useMutation({
    mutationFn: () => put("/v1/session/password", { password, newPassword }),
    onSuccess: forget,
  });
  return (
    <Card title="Change your password" note="ends all your sessions; sign in again with the new one">
      <form
        className="grid max-w-sm gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <input type="hidden" name="username" autoComplete="username" value={name} readOnly />
        <SecretField
          label="Password until now"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
        />
        <SecretField label="New password" autoComplete="new-password" value={newPassword} onChange={setNewPassword} />
        {change.error === null ? null : <Problem error={change.error} />}
        <div>
          <Button type="submit" look="primary" disabled={change.isPending}>
            Change it
          </Button>
        </div>
      </form>
    </Card>
  );
}
