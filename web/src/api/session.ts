/** The one query client and the one live connection of a page, and whose they are. */
import { QueryClient } from "@tanstack/react-query";
import { ApiError, get, post, remove } from "./client.ts";
import { isHeld, setCsrf, setSignInNeeded, setSigningOut } from "./credentials.ts";
import { Live } from "./live.ts";
import { sessionQuery } from "./queries.ts";
import type { Session } from "./schema.ts";

const triesMax = 2;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      staleTime: 1_000,
      // What the API has refused, it refuses again.
      retry: (count, error) => count < triesMax && !(error instanceof ApiError && error.status < 500),
      retryDelay: (count) => 300 * 2 ** count,
    },
    mutations: { networkMode: "always" },
  },
});

export const live = new Live(queries, () => void lookWhoIsIn());

/**
 * Another tab may have signed in somebody else while this one did not listen. What this page shows is not for him then, so all of it is
 * loaded anew. The same person in another session goes on here, with what that session needs for changes.
 */
async function lookWhoIsIn(): Promise<void> {
  const before = queries.getQueryData(sessionQuery.queryKey);
  // Where nobody has signed in, nobody else can.
  if (before?.csrf === undefined) return;
  const session = await queries.query({ ...sessionQuery, staleTime: 0, retry: false }).catch(() => before);
  if (!isSame(before, session) && !isHeld()) location.reload();
}

/** Until the returned function is called: who comes back to the sign-in after another tab has signed in goes on where he was. */
export function followSignIn(): () => void {
  // Some browsers tell of both, the tab and its focus.
  let isLooking = false;
  const look = () => {
    if (document.hidden || isLooking) return;
    isLooking = true;
    // The sign-in stays, whether nobody is signed in or no master answers.
    const noSession = () => {
      isLooking = false;
    };
    void get<Session>("/v1/session").then(() => location.reload(), noSession);
  };
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
  return () => {
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("focus", look);
  };
}

function isSame({ principal: one }: Session, { principal: other }: Session): boolean {
  return one.kind === other.kind && one.name === other.name;
}

/** @throws ApiError `unauthorized` for a wrong name or password, `too-many` after too many of them */
export async function signIn(name: string, password: string): Promise<void> {
  begin(await post<Session>("/v1/session", { name, password }));
}

/** The token is forgotten at once. @throws ApiError `unauthorized` for a token that is wrong, was removed, or has expired */
export async function signInByToken(token: string): Promise<void> {
  begin(await post<Session>("/v1/session", { token }));
}

/**
 * Signs in with the first credential of a cluster that needed none until now. The pages stay, since nobody saw less before.
 * @throws ApiError as `signIn` and `signInByToken` do
 */
export async function signInFirst(credential: FirstCredential): Promise<void> {
  const session = await post<Session>("/v1/session", credential);
  setCsrf(session.csrf ?? null);
  queries.setQueryData(sessionQuery.queryKey, session);
  setSignInNeeded(false);
}

type FirstCredential = { readonly name: string; readonly password: string } | { readonly token: string };

/** Ends the session at every master. Where that fails, the cookie goes on to open every page: whoever leaves is told so. */
export async function signOut(session: Session): Promise<void> {
  setSigningOut(true);
  try {
    if (session.csrf !== undefined) await remove("/v1/session");
  } catch (error) {
    const isOver = error instanceof ApiError && error.status === 401;
    if (!isOver) return setSigningOut(false, error);
  }
  forget();
  setSigningOut(false);
}

/** Forgets who was signed in, with everything that he was shown. */
export function forget(): void {
  setCsrf(null);
  live.setOn(false);
  setSignInNeeded(true);
  queries.clear();
}

function begin(session: Session): void {
  setCsrf(session.csrf ?? null);
  queries.clear();
  queries.setQueryData(sessionQuery.queryKey, session);
  setSignInNeeded(false);
}
