/** Signs in with a name and a password, or with a token: either gives this browser a session. */
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { followSignIn, signIn, signInByToken } from "../../api/session.ts";
import { Button, Field, Labelled } from "../../parts/controls.tsx";
import { Logo } from "../../parts/logo.tsx";
import { SecretField } from "../../parts/secretField.tsx";
import { Problem } from "../../parts/surfaces.tsx";

type Way = "password" | "token";
const ways: { readonly [Each in Way]: string } = { password: "Name and password", token: "Token" };

export function SignInPage() {
  const [way, setWay] = useState<Way>("password");
  useEffect(followSignIn, []);
  return (
    <main className="mx-auto grid min-h-[80vh] max-w-sm content-center gap-5 px-4 py-8">
      <div className="grid justify-items-center gap-3">
        <Logo size={40} />
        <h1 className="text-lg font-semibold tracking-[-0.01em]">Sign in to Outlast</h1>
      </div>
      <div className="card grid gap-4 p-5">
        <div role="group" aria-label="Sign in with" className="grid grid-cols-2 rounded-md border border-line p-0.5">
          {(["password", "token"] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={way === each}
              onClick={() => setWay(each)}
              className="h-7 rounded px-2 font-medium text-muted max-md:h-9 aria-pressed:bg-accent-wash aria-pressed:text-accent"
            >
              {ways[each]}
            </button>
          ))}
        </div>
        {way === "password" ? <PasswordForm /> : <TokenForm />}
      </div>
    </main>
  );
}

function PasswordForm() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const enter = useMutation({ mutationFn: () => signIn(name.trim(), password), onError: () => setPassword("") });
  return (
    <Form mutation={enter}>
      <Labelled label="Name">
        {(id, marks) => (
          <Field
            id={id}
            {...marks}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Labelled>
      <SecretField label="Password" autoComplete="current-password" value={password} onChange={setPassword} />
    </Form>
  );
}

function TokenForm() {
  const [token, setToken] = useState("");
  const enter = useMutation({ mutationFn: () => signInByToken(token.trim()), onError: () => setToken("") });
  return (
    <Form mutation={enter}>
      <SecretField
        label="Token"
        hint="From an admin, or the value of OUTLAST_TOKEN. This browser gets a session for it and does not keep it."
        autoComplete="off"
        hasFocus
        value={token}
        onChange={setToken}
      />
    </Form>
  );
}

interface FormProps {
  readonly mutation: { readonly mutate: () => void; readonly isPending: boolean; readonly error: Error | null };
  readonly children: ReactNode;
}

function Form({ mutation: { mutate, isPending, error }, children }: FormProps) {
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        mutate();
      }}
    >
      {children}
      {error === null ? null : <Problem error={error} />}
      <Button type="submit" look="primary" className="justify-center" disabled={isPending}>
        {isPending ? "Signing in …" : "Sign in"}
      </Button>
    </form>
  );
}
