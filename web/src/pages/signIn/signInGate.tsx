/** Shows the pages to those who are signed in, and the sign-in to everybody else. The address stays, so people get where they wanted to. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { isSignInNeeded, isSigningOut, signOutProblem, subscribeSignIn } from "../../api/credentials.ts";
import { sessionQuery } from "../../api/queries.ts";
import type { Session } from "../../api/schema.ts";
import { live, signOut } from "../../api/session.ts";
import { Button } from "../../parts/controls.tsx";
import { Empty, Loading, Problem } from "../../parts/surfaces.tsx";
import { SignInPage } from "./signInPage.tsx";

export function SignInGate({ children }: { readonly children: ReactNode }) {
  const isNeeded = useSyncExternalStore(subscribeSignIn, isSignInNeeded);
  const isLeaving = useSyncExternalStore(subscribeSignIn, isSigningOut);
  const problem = useSyncExternalStore(subscribeSignIn, signOutProblem);
  const { data: session, error } = useQuery({ ...sessionQuery, enabled: !isNeeded && !isLeaving });
  const isIn = !isNeeded && !isLeaving && session !== undefined;
  useEffect(() => live.setOn(isIn), [isIn]);
  if (isLeaving)
    return (
      <p role="status" className="mt-[12vh] text-center text-muted">
        Signing out …
      </p>
    );
  if (isNeeded) return <SignInPage />;
  if (session === undefined) {
    return (
      <div className="mx-auto mt-[12vh] max-w-md px-4">
        {error === null ? <Loading what="who you are" /> : <Problem error={error} />}
      </div>
    );
  }
  return (
    <>
      {problem === null ? null : <StillIn session={session} problem={problem} />}
      {session.may.includes("read") ? children : <NothingToRead session={session} />}
    </>
  );
}

/** Nobody may leave this browser to others in the belief that it is signed out. */
function StillIn({ session, problem }: { readonly session: Session; readonly problem: unknown }) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-failed/40 bg-surface px-4 py-2"
    >
      <span className="font-medium text-failed">You are still signed in.</span>
      <span className="text-soft">
        {problem instanceof Error ? problem.message : ""} This session goes on until a sign-out reaches the master.
      </span>
      <Button onClick={() => void signOut(session)}>Sign out</Button>
    </div>
  );
}

/** A worker's token speaks the worker protocol and nothing else. */
function NothingToRead({ session }: { readonly session: Session }) {
  return (
    <main className="mx-auto mt-[12vh] max-w-md px-4">
      <h1 className="sr-only">Outlast</h1>
      <div className="card">
        <Empty title={`The role ${session.principal.role} may not read`}>
          This token is for programs. Sign in with another one, or with a name and a password.
        </Empty>
        <p className="pb-6 text-center">
          <Button onClick={() => void signOut(session)}>Sign out</Button>
        </p>
      </div>
    </main>
  );
}
