/**
 * How calls say who makes them: by the cookie of a session, which no script can read and which pays for changes only together with a
 * value that the master tells this page.
 */

const csrfHeader = "x-outlast-csrf";

const listeners = new Set<() => void>();
let csrf: string | null = null;
let isRefused = false;
let isLeaving = false;
let leaveProblem: unknown = null;
/** How many parts of the page must stay until somebody has read them. */
let holds = 0;

/**
 * Whether the master has refused a call since it did not know who made it, and nothing holds the sign-in back; `subscribeSignIn` tells
 * of changes.
 */
export function isSignInNeeded(): boolean {
  return isRefused && holds === 0;
}

/** Until the returned function is called, the page stays as it is, whatever is refused: it shows what nobody can show again. */
export function holdSignIn(): () => void {
  holds += 1;
  return () => {
    holds -= 1;
    tell();
  };
}

/** Whether something on this page must be read before the page may go. */
export function isHeld(): boolean {
  return holds > 0;
}

export function subscribeSignIn(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setSignInNeeded(isNeeded: boolean): void {
  if (isNeeded === isRefused) return;
  isRefused = isNeeded;
  tell();
}

/** Whether a sign-out is under way: nothing is asked for meanwhile, since it would be refused. */
export function isSigningOut(): boolean {
  return isLeaving;
}

/** Why the last sign-out failed, so that the session goes on; null if none did. */
export function signOutProblem(): unknown {
  return leaveProblem;
}

export function setSigningOut(isUnderWay: boolean, problem: unknown = null): void {
  isLeaving = isUnderWay;
  leaveProblem = problem;
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Of the session whose cookie this browser has; null where there is none. */
export function setCsrf(value: string | null): void {
  csrf = value;
}

/** The headers that a call needs. */
export function credentialHeaders(isChange: boolean): { readonly [name: string]: string } {
  return isChange && csrf !== null ? { [csrfHeader]: csrf } : {};
}
