/** The cookie of a session, and the token that shows that a request was made by a page of ours. */
import { hash } from "node:crypto";

/** The header that must come with every change that a cookie pays for. Pages of others can neither read nor set it. */
export const csrfHeader = "x-outlast-csrf";

export interface CookieSettings {
  /** The cluster's, so that two clusters on one machine do not sign each other out: ports do not keep cookies apart. */
  readonly incarnation: string;
  readonly isSecure: boolean;
}

/** With `__Host-`, no other host of the domain can put a cookie of this name into a browser. */
export function cookieName({ incarnation, isSecure }: CookieSettings): string {
  const mark = incarnation.replace(/[^A-Za-z0-9]/g, "").slice(0, 12);
  return `${isSecure ? "__Host-" : ""}outlast-${mark}`;
}

export function sessionCookie(settings: CookieSettings, secret: string, maxAgeMs: number): string {
  const flags = `Path=/; HttpOnly; SameSite=Strict${settings.isSecure ? "; Secure" : ""}`;
  return `${cookieName(settings)}=${secret}; Max-Age=${Math.max(0, Math.floor(maxAgeMs / 1000))}; ${flags}`;
}

/** Removes the cookie. */
export function emptyCookie(settings: CookieSettings): string {
  return sessionCookie(settings, "", 0);
}

/** The session's secret from the header `cookie`; null if it has none. */
export function readCookie(header: string | undefined, settings: CookieSettings): string | null {
  const name = cookieName(settings);
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim() || null;
  }
  return null;
}

/** What a page must send in `x-outlast-csrf`. It follows from the secret, which no page can read. */
export function csrfToken(secret: string): string {
  return hash("sha256", `csrf ${secret}`, "base64url");
}
