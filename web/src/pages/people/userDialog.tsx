/** Asks for what a user is: the name once, the role, the queues, and a password. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { post, put, segment } from "../../api/client.ts";
import { useSession } from "../../api/rights.ts";
import type { User } from "../../api/schema.ts";
import { signInFirst } from "../../api/session.ts";
import { Button, Field, Labelled, TextField } from "../../parts/controls.tsx";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { patternsOf } from "../../parts/fieldTexts.ts";
import { type Role, RoleAndQueues } from "../../parts/principals.tsx";
import { CopyButton, Note } from "../../parts/surfaces.tsx";

/** A worker signs in by a token only. */
const rolesOfUsers: readonly Role[] = ["viewer", "submitter", "operator", "admin"];
/** 128 random bits. */
const passwordBytes = 16;

interface UserDialogProps {
  /** Left out for a new user. */
  readonly user?: User;
  /** The first user must be an admin. */
  readonly isFirst?: boolean;
  /** @param password one that was made here, to be shown once; null otherwise */
  readonly onSaved: (name: string, password: string | null) => void;
  readonly onClose: () => void;
}

export function UserDialog({ user, isFirst = false, onSaved, onClose }: UserDialogProps) {
  const [name, setName] = useState(user?.name ?? "");
  const [role, setRole] = useState<Role>(user?.role ?? (isFirst ? "admin" : "viewer"));
  const [queues, setQueues] = useState((user?.queues ?? []).join(" "));
  const [typed, setTyped] = useState("");
  const [made, setMade] = useState<string | null>(null);
  const isOpenCluster = useSession()?.isOpen === true;
  const save = useMutation({
    mutationFn: async () => {
      const password = made ?? typed;
      const patterns = role === "admin" ? undefined : patternsOf(queues);
      if (user === undefined) {
        await post("/v1/users", { name, password, role, ...(patterns !== undefined && { queues: patterns }) });
        // If it fails, the sign-in comes when the dialogs are closed.
        if (isOpenCluster) await signInFirst({ name, password }).catch(() => {});
        return;
      }
      const change = { role, queues: patterns ?? null, ...(password !== "" && { password }) };
      await put(`/v1/users/${segment(user.name)}`, change);
    },
    onSuccess: () => onSaved(name, made),
  });
  return (
    <DialogForm
      title={user === undefined ? "Add a user" : `Change ${user.name}`}
      verb={user === undefined ? "Add the user" : "Save"}
      mutation={save}
      onClose={onClose}
    >
      {user === undefined ? (
        <TextField
          label="Name"
          hint="To sign in with. It cannot be changed."
          required
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={name}
          onText={setName}
        />
      ) : null}
      <RoleAndQueues
        roles={isFirst ? ["admin"] : rolesOfUsers}
        {...{ role, queues }}
        onRole={setRole}
        onQueues={setQueues}
        roleNote={isFirst ? "The first user is an admin, who can then add users with other roles." : undefined}
      />
      <Password
        isNew={user === undefined}
        password={made ?? typed}
        onTyped={(text) => {
          setMade(null);
          setTyped(text);
        }}
        onMade={setMade}
      />
      {isOpenCluster ? (
        <Note tone="warn">
          From now on everybody needs a credential: you are signed in as this user, and workers need a token. Those that{" "}
          <code>outlast up</code> has started have one; stop others first, or what they run begins anew elsewhere.
        </Note>
      ) : null}
    </DialogForm>
  );
}

interface PasswordProps {
  readonly isNew: boolean;
  readonly password: string;
  readonly onTyped: (password: string) => void;
  readonly onMade: (password: string) => void;
}

function Password({ isNew, password, onTyped, onMade }: PasswordProps) {
  const [isShown, setShown] = useState(false);
  return (
    <Labelled
      label={isNew ? "Password" : "New password"}
      hint={isNew ? "Type one, or have one made. It cannot be read again later." : "Empty to leave it as it is."}
    >
      {(id, marks) => (
        <div className="flex flex-wrap items-center gap-2">
          <Field
            id={id}
            {...marks}
            type={isShown ? "text" : "password"}
            spellCheck={false}
            autoCapitalize="none"
            className={`min-w-40 flex-1 ${isShown ? "font-mono text-xs" : ""}`}
            autoComplete="new-password"
            required={isNew}
            value={password}
            onChange={(event) => onTyped(event.target.value)}
          />
          {password === "" ? null : (
            <>
              <CopyButton text={password} what="password" />
              <Button
                aria-label={isShown ? "Hide the password" : "Show the password"}
                onClick={() => setShown(!isShown)}
              >
                {isShown ? "Hide" : "Show"}
              </Button>
            </>
          )}
          <Button
            onClick={() => {
              onMade(randomPassword());
              setShown(true);
            }}
          >
            Make one
          </Button>
        </div>
      )}
    </Labelled>
  );
}

function randomPassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(passwordBytes));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
